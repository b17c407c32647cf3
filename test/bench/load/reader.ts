import { connect, type Socket } from 'node:net';
import { StreamParser } from './stream-parser.js';
import type { Tally } from './tally.js';

/** One read takes at most this much; all readers share the buffer, since each read is parsed before the next one. */
const READ_BUFFER = Buffer.allocUnsafe(64 * 1024);

/** One subscriber: a bare socket whose bytes are counted and forgotten. */
export class Reader {
  private readonly socket: Socket;
  private readonly parser: StreamParser;

  private constructor(index: number, port: number, tally: Tally, onRead: () => void) {
    this.parser = new StreamParser({
      event: (eventNumber, microseconds) => tally.event(index, eventNumber, microseconds),
      notice: () => {
        tally.notices += 1;
      },
    });
    this.socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer: READ_BUFFER,
        callback: (length, bytes) => {
          this.parser.push(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes), length);
          onRead();
          return true;
        },
      },
    });
  }

  /** Connects and asks; resolves once a 200 has come, rejects on any other status or when the server hangs up before. */
  static async open(index: number, port: number, request: string, tally: Tally): Promise<Reader> {
    return new Promise((resolve, reject) => {
      let settled = false;
      const reader = new Reader(index, port, tally, () => {
        if (settled || reader.parser.status === 0) return;
        settled = true;
        if (reader.parser.status === 200) resolve(reader);
        else reject(new Error(`a subscription was answered with ${reader.parser.status}`));
      });
      const failed = (error?: Error): void => {
        if (!settled) reject(new Error('a subscription ended before it was answered', { cause: error }));
        settled = true;
      };
      reader.socket.on('error', failed);
      reader.socket.on('close', () => failed());
      reader.socket.write(request, 'latin1');
    });
  }

  /** The connection is gone or the response has ended. */
  get ended(): boolean {
    return this.socket.destroyed || this.parser.ended;
  }

  /** Stops reading, as a client does that hangs. */
  stall(): void {
    this.socket.pause();
  }

  /** Resets the connection, so that nothing waits in TIME_WAIT. */
  close(): void {
    this.socket.resetAndDestroy();
  }
}
