import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Waiting } from './waiting.js';

/** A request, and what was answered. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly lastEventId: string | undefined;
  /** When it came, in milliseconds on the monotonic clock. */
  readonly at: number;
  status?: number;
  /** Whether the connection to the hub is over. */
  ended?: true;
  /** Bytes of the answer, with its head. */
  bytes: number;
}

/**
 * Stands between a client and the hub, passes bytes on as they are, and can be made to fail like a network or a gateway.
 */
export class Proxy implements AsyncDisposable {
  private readonly exchanges: Exchange[] = [];
  private readonly waiting = new Waiting();
  private readonly sockets = new Set<Socket>();
  private mode: 'open' | 'away' | 'bad gateway' = 'open';

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {
    server.on('connection', (socket) => this.accept(socket));
  }

  static async to(target: number): Promise<Proxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Proxy(server, target);
  }

  get url(): string {
    const address = this.server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  /** The requests for a stream: all but a browser's preflights. */
  get requests(): readonly Exchange[] {
    return this.exchanges.filter(({ method }) => method === 'GET');
  }

  /** Cuts every connection, and lets none live until `restore`. */
  cut(): void {
    this.interrupt('away');
  }

  /** Cuts every connection, and answers 502 until `restore`, as a gateway does while what is behind it restarts. */
  failLikeGateway(): void {
    this.interrupt('bad gateway');
  }

  restore(): void {
    this.mode = 'open';
  }

  /** Resolves with the first `count` requests for a stream, when the last of them has begun to be answered. */
  answered(count: number): Promise<readonly Exchange[]> {
    return this.waiting.for(
      () => `${count} answers: there were ${this.requests.length} requests`,
      () => (this.requests[count - 1]?.status === undefined ? undefined : this.requests.slice(0, count)),
    );
  }

  /** Resolves once a request of any kind has been answered by 502. */
  failedLikeGateway(): Promise<Exchange> {
    return this.waiting.for(
      () => `a request to fail: there were ${this.exchanges.length}`,
      () => this.exchanges.find(({ status }) => status === 502),
    );
  }

  /** Resolves once the first stream is over. */
  ended(): Promise<true> {
    return this.waiting.for(
      () => 'the end of the first stream',
      () => this.requests[0]?.ended,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private interrupt(mode: 'away' | 'bad gateway'): void {
    this.mode = mode;
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(client: Socket): void {
    if (this.mode === 'away') return void client.destroy();
    const upstream = this.mode === 'open' ? connect(this.target, '127.0.0.1') : undefined;
    let current: Exchange | undefined;
    client.on('data', (chunk: Buffer) => {
      current = this.note(chunk.toString('latin1')) ?? current;
      if (upstream) upstream.write(chunk);
      else this.refuse(client, current);
    });
    upstream?.on('data', (chunk: Buffer) => {
      this.noteAnswer(current, chunk);
      client.write(chunk);
    });
    upstream?.on('close', () => this.noteEnd(current));
    this.joinEnds(client, upstream);
  }

  /** What happens to one of the two connections happens to the other. */
  private joinEnds(client: Socket, upstream: Socket | undefined): void {
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      if (!one) continue;
      this.sockets.add(one);
      one.on('error', () => undefined);
      one.on('end', () => other?.end());
      one.on('close', () => {
        this.sockets.delete(one);
        other?.destroySoon();
      });
    }
  }

  /** The clients here do not pipeline and send nothing but heads: a chunk is a request. */
  private note(head: string): Exchange | undefined {
    const [, method, path] = /^([A-Z]+) (\S+) HTTP\/1\.1\r\n/.exec(head) ?? [];
    if (method === undefined || path === undefined) return undefined;
    const [, lastEventId] = /\r\nlast-event-id: ?([^\r]*)\r\n/i.exec(head) ?? [];
    const exchange: Exchange = { method, url: new URL(path, this.url), lastEventId, at: performance.now(), bytes: 0 };
    this.exchanges.push(exchange);
    return exchange;
  }

  private noteAnswer(exchange: Exchange | undefined, chunk: Buffer): void {
    if (!exchange) return;
    exchange.bytes += chunk.length;
    exchange.status ??= Number(/^HTTP\/1\.1 (\d+)/.exec(chunk.toString('latin1'))?.[1]);
    this.waiting.wakeUp();
  }

  private noteEnd(exchange: Exchange | undefined): void {
    if (exchange) exchange.ended = true;
    this.waiting.wakeUp();
  }

  private refuse(client: Socket, exchange: Exchange | undefined): void {
    const answer = Buffer.from('HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    this.noteAnswer(exchange, answer);
    client.end(answer);
  }
}
