import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy in front of a service that does on command what networks do: cut, fall silent, refuse. */
export class FaultProxy implements AsyncDisposable {
  /** Connections accepted so far. */
  accepted = 0;
  private readonly pairs = new Map<Socket, Socket>();
  private isAway = false;

  private constructor(
    private readonly server: Server,
    private target: number,
  ) {
    server.on('connection', (socket) => this.accept(socket));
  }

  /** Forwards to a port of this machine. */
  static async before(target: number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: false }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultProxy(server, target);
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.pairs.size;
  }

  /** Cuts every connection, without any goodbye. */
  cut(): void {
    for (const [client, service] of this.pairs) {
      client.resetAndDestroy();
      service.destroy();
    }
  }

  /** Cuts every connection, and those that come, until `comeBack`. */
  goAway(): void {
    this.isAway = true;
    this.cut();
  }

  comeBack(target = this.target): void {
    this.target = target;
    this.isAway = false;
  }

  /** From now on, open connections stay open and carry nothing. New ones are not affected. */
  stall(): void {
    for (const [client, service] of this.pairs) {
      service.unpipe(client);
      service.pause();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.goAway();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    this.accepted += 1;
    client.on('error', () => undefined);
    if (this.isAway) {
      client.resetAndDestroy();
      return;
    }
    const service = connect(this.target, '127.0.0.1');
    service.on('error', () => client.destroy());
    this.pairs.set(client, service);
    client.pipe(service);
    service.pipe(client);
    client.on('close', () => {
      this.pairs.delete(client);
      service.destroy();
    });
  }
}
