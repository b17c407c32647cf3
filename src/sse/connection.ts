import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Socket } from 'node:net';
import { insideChunk, toChunk } from './chunk.js';
import { encodeComment, encodeNotice, type Notice } from './frame.js';
import type { OpenStream } from './stream-registry.js';
import { randomRetry } from './stream-registry.js';
import { STREAM_ENDS, type StreamEnd } from './stream-end.js';
import { type StreamInfo, UNKNOWN_STREAM } from './stream-info.js';

/** How frames go over the wire: in the chunks of HTTP/1.1, which we make ourselves, or as they are. */
export type WireFormat = 'chunked' | 'plain';

/** Bytes in both formats; they share memory. */
export interface WireBytes {
  readonly plain: Buffer;
  readonly chunked: Buffer;
}

/** What a connection tells its subscriber. */
export interface ConnectionListener {
  /** The socket has taken everything: there is room again. */
  drained(): void;
  /** The connection is over, for whatever reason. */
  closed(reason: StreamEnd): void;
  /** What an administrator wants to know of it. */
  describe(): Readonly<Record<string, unknown>>;
}

const HEARTBEAT = inBothFormats(encodeComment(''));
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

export function inBothFormats(frame: Buffer): WireBytes {
  const chunked = toChunk(frame);
  return { plain: insideChunk(chunked), chunked };
}

/**
 * One subscriber's end of the wire: bytes go out, and nothing comes in. What is written has been given to the kernel or
 * to Node's buffer; from then on `isFull` tells whether the reader keeps up.
 */
export abstract class Connection<Target extends Writable = Writable> implements OpenStream {
  readonly openedAt = performance.now();
  lastWriteAt = this.openedAt;
  /** When the socket became full, on the monotonic clock; 0 while it is not. */
  fullSince = 0;
  /** Whose it is. Set before it is handed on. */
  info: StreamInfo = UNKNOWN_STREAM;
  serial = 0;
  protected reason: StreamEnd = 'disconnected';
  protected listener: ConnectionListener | undefined;
  private over = false;

  protected constructor(
    protected readonly target: Target,
    readonly format: WireFormat,
  ) {}

  /** From now on `listener` is told. Must be called in the turn in which the connection was made. */
  listen(listener: ConnectionListener): void {
    this.listener = listener;
  }

  describe(): Readonly<Record<string, unknown>> {
    return { isFull: this.isFull, ...this.listener?.describe() };
  }

  get isFull(): boolean {
    return this.fullSince !== 0;
  }

  get isOver(): boolean {
    return this.over;
  }

  /** Writes bytes that are in this connection's {@link format}. Answers whether there is room for more. */
  abstract write(bytes: Buffer): boolean;

  writeFrame(bytes: WireBytes): boolean {
    // A look-up by a variable name costs more here than both branches.
    return this.write(this.format === 'chunked' ? bytes.chunked : bytes.plain);
  }

  /** An in-band notice: an event named `herald`, with no id, so that nobody's cursor moves. */
  notify(notice: Notice, retry?: number): boolean {
    return this.writeFrame(inBothFormats(encodeNotice(notice, retry)));
  }

  heartbeat(): void {
    // A full socket has bytes waiting that do the same.
    if (!this.isFull && !this.over) this.writeFrame(HEARTBEAT);
  }

  /** Ends the response cleanly, after a notice where the reason has one. A full socket has no use for either. */
  end(reason: StreamEnd): void {
    if (this.over) return;
    this.reason = reason;
    this.over = true;
    if (this.isFull) {
      this.target.destroy();
      return;
    }
    const { notice } = STREAM_ENDS[reason];
    if (notice) this.notify({ type: notice }, randomRetry());
    this.finish();
  }

  /** Writes the end of the response and lets go of the connection. */
  protected abstract finish(): void;

  /** Ends it without ceremony: the reader does not read. */
  cut(reason: StreamEnd): void {
    if (this.over) return;
    this.reason = reason;
    this.over = true;
    this.target.destroy();
  }

  async finished(signal: AbortSignal): Promise<void> {
    if (!this.target.closed) await once(this.target, 'close', { signal });
  }

  protected onDrain(): void {
    if (this.fullSince === 0) return;
    this.fullSince = 0;
    if (!this.over) this.listener?.drained();
  }

  protected onClose(): void {
    this.over = true;
    this.listener?.closed(this.reason);
    this.listener = undefined;
  }
}

/** A socket of HTTP/1.1 or 1.0 that has been taken over from the server (`takeOver`). */
export class SocketConnection extends Connection<Socket> {
  private isWriting = false;

  constructor(socket: Socket, format: WireFormat) {
    super(socket, format);
    connections.set(socket, this);
    socket.on('close', closeOfSocket).on('error', ignore).on('end', endOfSocket);
    // What the client still sends is read and dropped: unread bytes would hide its leaving.
    socket.resume();
  }

  /**
   * Past the bookkeeping of `Writable`, which takes 5 % of a delivery and has no use here: one write is under way at a
   * time. The callback comes before `_write` returns if the kernel has taken everything. Where Node would always call
   * back later, every write would count as full, and the log be read in slices instead: slower, and as correct.
   */
  write(bytes: Buffer): boolean {
    if (this.isWriting) {
      this.target.write(bytes);
      return false;
    }
    this.isWriting = true;
    // The name that `Writable` itself gives to "no encoding, these are bytes".
    // oxlint-disable-next-line no-underscore-dangle -- Node's name for it
    this.target._write(bytes, 'buffer' as BufferEncoding, this.written);
    this.lastWriteAt = performance.now();
    if (!this.isWriting) return true;
    if (this.fullSince === 0) this.fullSince = this.lastWriteAt;
    return false;
  }

  /** Closes the socket once all is out, so that a client which never closes its half keeps nothing here. */
  protected finish(): void {
    if (this.format === 'chunked') this.target.write(LAST_CHUNK);
    this.target.destroySoon();
  }

  private readonly written = (error?: Error | null): void => {
    this.isWriting = false;
    if (!error) this.onDrain();
  };

  /** For `closeOfSocket`, which all sockets share: ten thousand closures are a megabyte. */
  static closed(connection: SocketConnection): void {
    connection.onClose();
  }
}

const connections = new WeakMap<Socket, SocketConnection>();

function closeOfSocket(this: Socket): void {
  const connection = connections.get(this);
  if (connection) SocketConnection.closed(connection);
}

/** The client has closed its half, which is how browsers leave. */
function endOfSocket(this: Socket): void {
  this.destroy();
}

function ignore(): void {
  // A reset is followed by `close`, which says all there is to say.
}

/** A response that is written to as a stream: HTTP/2, and HTTP/1 where the socket can't be taken over. */
export class ResponseConnection extends Connection {
  /** @param socket of HTTP/1.1: a response that waits behind another one is not told when the connection closes. */
  constructor(response: Writable, socket?: Socket) {
    super(response, 'plain');
    response
      .on('drain', () => this.onDrain())
      .on('close', () => this.onClose())
      .on('error', ignore);
    socket?.once('close', () => this.onClose());
  }

  protected finish(): void {
    this.target.end();
  }

  write(bytes: Buffer): boolean {
    const hasRoom = this.target.write(bytes);
    this.lastWriteAt = performance.now();
    if (!hasRoom && this.fullSince === 0) this.fullSince = this.lastWriteAt;
    return hasRoom;
  }
}
