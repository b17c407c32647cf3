import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  type Settings,
} from 'node:http2';
import type { Socket } from 'node:net';
import { connectTcp, secure } from './sockets.js';
import { type HeaderFields, StreamClient, type Target } from './stream-client.js';

/** A connection of HTTP/2 over TLS, on which streams can be opened. `await using` closes it. */
export class Http2Connection implements AsyncDisposable {
  private constructor(
    readonly session: ClientHttp2Session,
    private readonly tcp: Socket,
  ) {
    session.on('error', () => undefined);
  }

  /** @param settings what the client announces, such as a window of 0: nothing can be sent to it then. */
  static async to({ url }: Target, settings: Settings = {}): Promise<Http2Connection> {
    const tcp = await connectTcp(url);
    const socket = await secure(tcp, 'h2');
    return new Http2Connection(connectHttp2(url, { createConnection: () => socket, settings }), tcp);
  }

  get isOpen(): boolean {
    return !this.session.closed && !this.session.destroyed;
  }

  /** Breaks it with all its streams. */
  reset(): void {
    this.tcp.resetAndDestroy();
    this.session.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.destroy();
    if (!this.tcp.closed) await once(this.tcp, 'close');
  }
}

export interface Http2Options {
  /** The connection that the stream shares with others. Default: one of its own. */
  readonly connection?: Http2Connection;
}

/** A subscriber on a stream of HTTP/2. */
export class Http2Client extends StreamClient {
  private constructor(
    readonly stream: ClientHttp2Stream,
    private readonly connection: Http2Connection,
    private readonly isShared: boolean,
  ) {
    super();
    stream.on('response', (headers) => {
      this.status = headers[':status'] ?? 0;
      this.changed();
    });
    stream.on('data', (bytes: Buffer) => {
      this.keep(bytes.toString());
      this.feed(bytes);
      this.changed();
    });
    stream.on('error', () => undefined);
    // The end is also said of a stream that was aborted.
    stream.on('end', () => (this.isComplete = !stream.aborted && (stream.rstCode ?? 0) === constants.NGHTTP2_NO_ERROR));
    stream.on('close', () => this.end());
  }

  static async subscribe(
    target: Target,
    path: string,
    headers: HeaderFields = {},
    { connection }: Http2Options = {},
  ): Promise<Http2Client> {
    const own = connection ?? (await Http2Connection.to(target));
    const stream = own.session.request({ ':path': path, ...headers });
    return new Http2Client(stream, own, connection !== undefined);
  }

  /** Takes nothing more out of the stream, whose window fills then; others on the connection go on. */
  stall(): void {
    this.stream.pause();
  }

  read(): void {
    this.stream.resume();
  }

  /** Resets its stream with `code`, and keeps the connection: browsers cancel, and others have no error to tell of. */
  leave(code: number = constants.NGHTTP2_CANCEL): void {
    this.stream.close(code);
  }

  /** Breaks its connection; one that others share goes on, and the stream is reset as after a failure. */
  reset(): void {
    if (this.isShared) this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else this.connection.reset();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stream.destroy();
    if (!this.isShared) await this.connection[Symbol.asyncDispose]();
    if (!this.stream.closed) await once(this.stream, 'close');
  }
}
