import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Herald } from './herald.js';
import { requestTo } from './request.js';
import type { Transport } from './transports.js';

export interface UploadHead {
  readonly method?: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface UploadAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** A request whose body is sent bit by bit, or never ends. `await using` breaks it off. */
export class Upload implements AsyncDisposable {
  private constructor(
    private readonly writable: Writable,
    /** The whole answer, which may come before the body has been sent. */
    readonly answer: Promise<UploadAnswer>,
    /** Resolves once the hub has closed the connection, or the stream of HTTP/2. */
    readonly closed: Promise<unknown>,
    private readonly session?: ClientHttp2Session,
  ) {
    writable.on('error', () => undefined);
    // A test may wait for the one and not for the other.
    answer.catch(() => undefined);
    closed.catch(() => undefined);
  }

  static begin(transport: Transport, herald: Herald, head: UploadHead): Upload {
    return transport === 'http2' ? Upload.overHttp2(herald, head) : Upload.overHttp1(herald, head);
  }

  private static overHttp1({ url }: Herald, { method = 'POST', path, headers }: UploadHead): Upload {
    const request = requestTo(url + path, { method, headers, agent: false });
    request.flushHeaders();
    const closed = once(request, 'socket').then(async ([socket]) => once(socket as Writable, 'close'));
    const answer = once(request, 'response').then(async ([response]) => {
      const { statusCode = 0, headers: answered } = response as IncomingMessage;
      return { status: statusCode, headers: answered, body: await text(response as IncomingMessage) };
    });
    return new Upload(request, answer, closed);
  }

  private static overHttp2({ url }: Herald, { method = 'POST', path, headers }: UploadHead): Upload {
    const session = connect(url, { rejectUnauthorized: false }).on('error', () => undefined);
    const stream: ClientHttp2Stream = session.request(
      { ':method': method, ':path': path, ...headers },
      { endStream: false },
    );
    const answer = once(stream, 'response').then(async ([answered]) => {
      const fields = answered as Record<string, unknown>;
      return { status: Number(fields[':status']), headers: fields, body: await text(stream) };
    });
    return new Upload(stream, answer, once(stream, 'close'), session);
  }

  /** Resolves once the bytes have left this process. */
  async write(bytes: string | Buffer): Promise<void> {
    await new Promise<void>((resolve) => void this.writable.write(bytes, () => resolve()));
  }

  end(): void {
    this.writable.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.writable.destroy();
    this.session?.destroy();
    await this.closed.catch(() => undefined);
  }
}
