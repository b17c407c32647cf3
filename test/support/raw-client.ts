import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Herald } from './herald.js';

/** Milliseconds that something may take before the test gives up on it. */
const PATIENCE = 20_000;

/** Characters of the answer that are kept as they came. */
const KEPT = 64 * 1024;

/** A subscriber on a bare socket, which can stop reading, send what it likes, and leave in every way. */
export class RawClient implements AsyncDisposable {
  readonly events: EventSourceMessage[] = [];
  /** What came first, head and chunks and all. */
  text = '';
  ended = false;
  private hasHead = false;
  private rest = '';
  private wakeUp = (): void => undefined;
  private readonly parser = createParser({ onEvent: (event) => this.events.push(event) });

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (text) => this.take(String(text)));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.ended = true;
      this.wakeUp();
    });
  }

  static async connect(herald: Herald): Promise<RawClient> {
    const socket = connect({ port: herald.port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Connects and asks for a stream. */
  static async subscribe(herald: Herald, path: string, headers: readonly string[] = []): Promise<RawClient> {
    const client = await RawClient.connect(herald);
    client.socket.write([`GET ${path} HTTP/1.1`, 'host: x', ...headers, '', ''].join('\r\n'));
    return client;
  }

  async until(condition: (client: this) => boolean): Promise<this> {
    const timer = setTimeout(() => this.socket.destroy(), PATIENCE);
    try {
      while (!condition(this)) {
        if (this.ended) throw new Error(`the connection ended too early; it began with:\n${this.text.slice(0, 2_000)}`);
        await new Promise<void>((resolve) => (this.wakeUp = resolve));
      }
      return this;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.closed) return;
    this.socket.destroy();
    await once(this.socket, 'close');
  }

  private take(text: string): void {
    if (this.text.length < KEPT) this.text += text;
    this.rest += text;
    if (!this.hasHead) {
      const end = this.rest.indexOf('\r\n\r\n');
      this.hasHead = end >= 0;
      if (this.hasHead) this.rest = this.rest.slice(end + 4);
    }
    if (this.hasHead) this.readChunks();
    this.wakeUp();
  }

  private readChunks(): void {
    if (!/\r\ntransfer-encoding: chunked\r\n/i.test(this.text)) {
      this.parser.feed(Buffer.from(this.rest, 'latin1').toString());
      this.rest = '';
      return;
    }
    for (;;) {
      const lineEnd = this.rest.indexOf('\r\n');
      const size = Number.parseInt(this.rest.slice(0, lineEnd), 16);
      if (lineEnd < 0 || this.rest.length < lineEnd + 4 + size) return;
      this.parser.feed(Buffer.from(this.rest.slice(lineEnd + 2, lineEnd + 2 + size), 'latin1').toString());
      this.rest = this.rest.slice(lineEnd + 4 + size);
    }
  }
}
