import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What goes through, in both directions. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** A TCP proxy that cuts, delays and stalls what goes through it. `await using` closes it. */
export class TcpProxy implements AsyncDisposable {
  private readonly pairs = new Set<Pair>();
  private readonly server: Server;
  /** Milliseconds that each piece is held back. */
  private delay = 0;
  private isStalled = false;

  private constructor(private readonly target: number) {
    this.server = createServer((client) => this.accept(client));
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on, each piece is held back for so many milliseconds. */
  slow(delay: number): void {
    this.delay = delay;
  }

  /** Nothing goes through any more, and nobody is told. */
  stall(): void {
    this.isStalled = true;
    for (const { client, server } of this.pairs) {
      client.pause();
      server.pause();
    }
  }

  /** Everything goes through again, also what was held up. */
  heal(): void {
    this.delay = 0;
    this.isStalled = false;
    for (const { client, server } of this.pairs) {
      client.resume();
      server.resume();
    }
  }

  /** Ends every connection, with a reset towards both sides. */
  cut(): void {
    for (const { client, server } of this.pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    this.cut();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    const server = connect({ port: this.target, host: '127.0.0.1' });
    const pair = { client, server };
    this.pairs.add(pair);
    this.pipe(client, server, pair);
    this.pipe(server, client, pair);
    if (!this.isStalled) return;
    client.pause();
    server.pause();
  }

  private pipe(from: Socket, to: Socket, pair: Pair): void {
    from.setNoDelay(true);
    // In the order in which they came, also when the delay changes: a network does not swap the bytes of a connection.
    let before = Promise.resolve();
    let held = 0;
    from.on('data', (data) => {
      const pass = (): void => void (to.destroyed || to.write(data));
      if (this.delay === 0 && held === 0) return pass();
      held += 1;
      const due = sleep(this.delay);
      before = passAfter(before, due, pass).finally(() => (held -= 1));
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      this.pairs.delete(pair);
      to.destroy();
    });
  }
}

async function passAfter(before: Promise<void>, due: Promise<void>, pass: () => void): Promise<void> {
  await Promise.all([before, due]);
  pass();
}
