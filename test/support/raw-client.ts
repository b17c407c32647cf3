import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connectTcp, secure } from './sockets.js';
import { type HeaderFields, StreamClient, type Target } from './stream-client.js';

/** A subscriber on a bare socket of HTTP/1.1, over TLS where the target speaks it, which can send what it likes. */
export class RawClient extends StreamClient {
  private head = '';
  private rest = '';

  private constructor(
    readonly socket: Socket,
    private readonly tcp: Socket,
  ) {
    super();
    socket.setEncoding('latin1').on('data', (text) => this.take(String(text)));
    socket.on('error', () => undefined).on('close', () => this.end());
  }

  static async connect({ url }: Target): Promise<RawClient> {
    const tcp = await connectTcp(url);
    return new RawClient(url.startsWith('https:') ? await secure(tcp, 'http/1.1') : tcp, tcp);
  }

  /** Connects and asks for a stream. */
  static async subscribe(target: Target, path: string, headers: HeaderFields = {}): Promise<RawClient> {
    const client = await RawClient.connect(target);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    client.socket.write([`GET ${path} HTTP/1.1`, 'host: x', ...lines, '', ''].join('\r\n'));
    return client;
  }

  stall(): void {
    this.socket.pause();
  }

  read(): void {
    this.socket.resume();
  }

  /** Closes its half, and reads what still comes. */
  leave(): void {
    this.socket.end();
  }

  reset(): void {
    this.tcp.resetAndDestroy();
    this.socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.closed) return;
    this.socket.destroy();
    await once(this.socket, 'close');
  }

  private take(text: string): void {
    this.keep(text);
    this.rest += text;
    if (this.head === '') this.takeHead();
    if (this.head !== '') this.takeBody();
    this.changed();
  }

  private takeHead(): void {
    const end = this.rest.indexOf('\r\n\r\n');
    if (end < 0) return;
    this.head = this.rest.slice(0, end + 2);
    this.rest = this.rest.slice(end + 4);
    this.status = Number(this.head.split(' ', 2)[1]);
  }

  private takeBody(): void {
    if (!/\r\ntransfer-encoding: chunked\r\n/i.test(this.head)) {
      this.feed(Buffer.from(this.rest, 'latin1'));
      this.rest = '';
      return;
    }
    let at = 0;
    // What comes after the last chunk is another answer, and no chunk.
    while (!this.isComplete) {
      const lineEnd = this.rest.indexOf('\r\n', at);
      const size = Number.parseInt(this.rest.slice(at, lineEnd), 16);
      if (lineEnd >= 0 && Number.isNaN(size)) return this.giveUp(this.rest.slice(at));
      if (lineEnd < 0 || this.rest.length < lineEnd + 4 + size) break;
      this.isComplete ||= size === 0;
      this.feed(Buffer.from(this.rest.slice(lineEnd + 2, lineEnd + 2 + size), 'latin1'));
      at = lineEnd + 4 + size;
    }
    this.rest = this.rest.slice(at);
  }

  /** Where a chunk should begin, something else does: nobody can tell where the next one is. */
  private giveUp(rest: string): void {
    this.malformed = rest.slice(0, 200);
    this.socket.destroy();
  }
}
