import { connect, type Socket } from 'node:net';
import { BodyDecoder } from './body-decoder.js';

/** A kept HTTP/1.1 connection that publishes one update at a time. */
export class Publisher {
  private socket: Socket | undefined;
  private readonly decoder = new BodyDecoder({ body: () => undefined });
  private waiting: { readonly resolve: (status: number) => void; readonly reject: (error: Error) => void } | undefined;

  constructor(private readonly port: number) {}

  /** An answer is awaited. */
  get busy(): boolean {
    return this.waiting !== undefined;
  }

  /** Writes one request and resolves with the status of its whole answer; rejects when the connection is lost before. */
  async send(request: string): Promise<number> {
    if (this.busy) throw new Error('a publisher waits for each answer');
    const socket = this.socket ?? this.open();
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      socket.write(request, 'latin1');
    });
  }

  close(): void {
    this.socket?.destroy();
  }

  /** A server may close an idle connection: the next request opens another. */
  private open(): Socket {
    const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    socket.on('data', (bytes) => this.read(bytes));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.socket = undefined;
      this.decoder.restart();
      this.settle()?.reject(new Error('the connection of a publisher was closed'));
    });
    this.socket = socket;
    return socket;
  }

  private read(bytes: Buffer): void {
    this.decoder.push(bytes, bytes.length);
    if (!this.decoder.ended) return;
    const status = this.decoder.status;
    this.decoder.restart();
    this.settle()?.resolve(status);
  }

  private settle(): typeof this.waiting {
    const waiting = this.waiting;
    this.waiting = undefined;
    return waiting;
  }
}
