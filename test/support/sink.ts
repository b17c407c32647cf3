import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Herald } from './herald.js';
import { PATIENCE } from './stream-client.js';

/** What an update's data ends with, so that a sink can count it: nothing else that the hub says has one. */
export const MARK = '!';

/** Many readers over plain HTTP/1.1 that only count what they get, so that what is measured is the service. */
export class Sink implements AsyncDisposable {
  private readonly sockets: Socket[] = [];
  private marks = 0;
  private wakeUp = (): void => undefined;

  constructor(private readonly herald: Herald) {}

  async subscribe(path: string): Promise<void> {
    const socket = connect({ port: this.herald.port, host: '127.0.0.1' });
    this.sockets.push(socket);
    socket.on('error', () => undefined).on('data', (bytes: Buffer) => this.count(bytes));
    await once(socket, 'connect');
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  }

  /** Resolves once all readers together have got so many more updates; rejects when they do not come. */
  async take(updates: number): Promise<void> {
    this.marks -= updates;
    const deadline = performance.now() + PATIENCE;
    const timer = setTimeout(() => this.wakeUp(), PATIENCE);
    while (this.marks < 0 && performance.now() < deadline) {
      await new Promise<void>((resolve) => (this.wakeUp = resolve));
    }
    clearTimeout(timer);
    if (this.marks < 0) throw new Error(`${-this.marks} updates have not come`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) if (!socket.closed) await once(socket.destroy(), 'close');
  }

  private count(bytes: Buffer): void {
    for (let at = bytes.indexOf(MARK); at >= 0; at = bytes.indexOf(MARK, at + 1)) this.marks += 1;
    if (this.marks >= 0) this.wakeUp();
  }
}
