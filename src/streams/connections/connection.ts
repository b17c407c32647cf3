import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { encodeComment, encodeNotice, encodeRetry, type Notice, type NoticeOptions } from '../frames/frame.js';
import type { OutstandingBytes } from '../registry/outstanding-bytes.js';
import { STREAM_ENDS, type StreamEnd } from '../registry/stream-end.js';
import { type StreamInfo, UNKNOWN_STREAM } from '../registry/stream-info.js';
import { type OpenStream, randomRetry } from '../registry/stream-registry.js';
import { PIECE, WriteQueue } from './write-queue.js';
import { inBothFormats, type WireBytes, type WireFormat } from '../frames/wire-bytes.js';

/** What a connection tells its subscriber. */
export interface ConnectionListener {
  /** There is room again, after the connection was full. */
  drained(): void;
  /** The connection has been told to end: nothing that is written from now on goes out. */
  ended(): void;
  /** The connection is gone, for whatever reason. */
  closed(reason: StreamEnd): void;
  /**
   * The id for a notice that is sent now: the subscriber's sealed cursor, to come back with; undefined if there is
   * none.
   */
  noticeId(): string | undefined;
  /** What an administrator wants to know of it, in a few words. */
  describe(): Readonly<Record<string, unknown>>;
  /** The rest of it, which may be long. */
  detail(): Readonly<Record<string, unknown>>;
}

/**
 * Writes of up to this many bytes go out even while all streams together hold too much, so that stalled readers can't
 * cut live ones off.
 */
const SMALL = 4 * 1024;

const HEARTBEAT = inBothFormats(encodeComment(''));
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/**
 * The hub's end of one stream: bytes go out, and nothing comes in.
 *
 * It holds the only write that is under way on its socket and queues the rest, because a second write beside it aborts
 * the process when the socket is encrypted (`TLSWrap`). Large writes go out in pieces, each when the one before it has
 * been taken.
 */
export abstract class Connection<Target extends Writable = Writable> implements OpenStream {
  readonly openedAt = performance.now();
  lastWriteAt = this.openedAt;
  fullSince = 0;
  endedAt = 0;
  /** Whose stream it is. Set before the connection is handed on. */
  info: StreamInfo = UNKNOWN_STREAM;
  serial = 0;
  private listener: ConnectionListener | undefined;
  private reason: StreamEnd = 'disconnected';
  private isClosed = false;
  /** Whether its client has been told why it will end. */
  private isTold = false;
  /** True during `transmit`, within which the socket may already report that it has taken the write. */
  private isTransmitting = false;
  /** Bytes of the write that is under way; 0 when none is. */
  private inFlight = 0;
  /** What waits behind the write that is under way. Created when first needed, because most streams never need it. */
  private queue: WriteQueue | undefined;
  /** How many bytes of this connection alone the process-wide count includes. */
  private counted = 0;

  /** @param room bytes that may wait before the connection counts as full. */
  protected constructor(
    protected readonly target: Target,
    readonly format: WireFormat,
    private readonly room: number,
    private readonly outstanding: OutstandingBytes,
  ) {}

  /** Sets the listener. Must be called in the turn in which the connection was made. */
  listen(listener: ConnectionListener): void {
    this.listener = listener;
  }

  /** Who listens; undefined once the connection is gone. */
  get subscriber(): ConnectionListener | undefined {
    return this.listener;
  }

  describe(): Readonly<Record<string, unknown>> {
    return { isFull: this.isFull, ...this.listener?.describe() };
  }

  detail(): Readonly<Record<string, unknown>> {
    return { ...this.listener?.detail() };
  }

  get isFull(): boolean {
    return this.fullSince !== 0;
  }

  /** Bytes that were written here and that the socket has not taken yet. */
  get unsent(): number {
    return this.inFlight + (this.queue?.length ?? 0);
  }

  /**
   * Whether these bytes may be written now: the connection has room, and where all connections together have reached
   * their limit, the bytes are few.
   */
  accepts(bytes: WireBytes): boolean {
    return !this.isFull && (!this.outstanding.isExhausted || bytes.length <= SMALL);
  }

  /** Writes bytes that are in this connection's {@link format}. Answers whether there is room for more. */
  write(bytes: Buffer): boolean {
    return this.endedAt === 0 && this.put(bytes);
  }

  writeFrame(bytes: WireBytes): boolean {
    // Looking the property up by a variable name would cost more here than this condition.
    return this.write(this.format === 'chunked' ? bytes.chunked : bytes.plain);
  }

  /**
   * An in-band notice: an event named `herald`. Where the subscriber has a cursor, it is the notice's id. A client that
   * wants no notices gets the `retry:` alone.
   */
  notify(notice: Notice, options: NoticeOptions = {}): boolean {
    const { retry } = options;
    if (this.info.wishes?.notices === false) {
      return retry === undefined || this.writeFrame(inBothFormats(encodeRetry(retry)));
    }
    return this.writeFrame(inBothFormats(encodeNotice(notice, { id: this.listener?.noticeId(), ...options })));
  }

  heartbeat(): void {
    // Bytes that still wait show the client and proxies as much as a heartbeat.
    if (this.unsent === 0) this.writeFrame(HEARTBEAT);
  }

  tellOfEnd(reason: StreamEnd, retry = randomRetry()): void {
    if (this.isTold) return;
    this.isTold = true;
    const { notice } = STREAM_ENDS[reason];
    if (notice) this.notify({ type: notice }, { retry });
    // A client that has got no update for long comes back with this cursor, and not with an id that may be trimmed by
    // then.
    else if (reason === 'max-age' && this.listener?.noticeId() !== undefined) this.notify({ type: 'cursor' });
  }

  /**
   * Ends the response cleanly, after a notice if the reason has one. A connection that is full is cut at once, because
   * neither would get through.
   */
  end(reason: StreamEnd, retry?: number): void {
    if (this.endedAt !== 0) return;
    if (this.isFull) return this.cut(reason);
    this.tellOfEnd(reason, retry);
    if (this.format === 'chunked') this.write(LAST_CHUNK);
    this.stop(reason);
    if (this.unsent === 0) this.finish();
  }

  /** Closes the connection at once, whatever its client has not taken yet. Also one that was told to end. */
  cut(reason: StreamEnd): void {
    this.stop(reason);
    this.target.destroy();
  }

  async finished(signal?: AbortSignal): Promise<void> {
    if (!this.isClosed) await once(this.target, 'close', signal && { signal });
  }

  /**
   * Gives `piece` to the socket, and calls {@link written} once the socket has taken it: before this returns, or later.
   */
  protected abstract transmit(piece: Buffer): void;

  /** Ends the response. Called once, when everything that was written has been taken. */
  protected abstract finish(): void;

  /** The socket has taken the write that was under way. Bound once, because it is passed on with each write. */
  protected readonly written = (error?: Error | null): void => {
    this.inFlight = 0;
    if (error) {
      this.target.destroy();
      return;
    }
    // During `transmit`, whoever called `begin` continues; after `closed`, there is nothing left to do.
    if (this.isTransmitting || this.isClosed) return;
    this.transmitQueued();
    this.account();
    if (this.unsent === 0 && this.endedAt !== 0) return this.finish();
    this.noticeProgress();
  };

  protected closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.queue?.clear();
    this.inFlight = 0;
    this.account();
    this.listener?.closed(this.reason);
    this.listener = undefined;
  }

  private put(bytes: Buffer): boolean {
    this.lastWriteAt = performance.now();
    if (this.unsent === 0 && bytes.length <= PIECE) {
      this.begin(bytes);
      if (this.inFlight === 0) return true;
    } else {
      (this.queue ??= new WriteQueue(this.outstanding)).push(bytes);
      this.transmitQueued();
    }
    this.account();
    if (this.unsent <= this.room) return !this.isFull;
    if (this.fullSince === 0) this.fullSince = this.lastWriteAt;
    return false;
  }

  /** Hands over what is queued, piece by piece, for as long as each is taken at once. */
  private transmitQueued(): void {
    while (this.inFlight === 0) {
      const piece = this.queue?.shift();
      if (!piece) return;
      this.begin(piece);
    }
  }

  private begin(piece: Buffer): void {
    this.inFlight = piece.length;
    this.isTransmitting = true;
    this.transmit(piece);
    this.isTransmitting = false;
  }

  /** Restarts the clock of a connection that is full: a client that takes something, however slowly, is not stalled. */
  private noticeProgress(): void {
    if (this.fullSince === 0) return;
    this.fullSince = this.unsent > this.room ? performance.now() : 0;
    if (this.fullSince === 0 && this.endedAt === 0) this.listener?.drained();
  }

  /** Tells the process-wide count of what has changed here. */
  private account(): void {
    const difference = this.inFlight + (this.queue?.ownLength ?? 0) - this.counted;
    if (difference === 0) return;
    this.counted += difference;
    this.outstanding.add(difference);
  }

  private stop(reason: StreamEnd): void {
    if (this.endedAt !== 0) return;
    this.reason = reason;
    this.endedAt = performance.now();
    this.listener?.ended();
  }
}
