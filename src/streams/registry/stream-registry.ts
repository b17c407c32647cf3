import { setMaxListeners } from 'node:events';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Background } from '../../shared/background.js';
import { believedNow } from '../../shared/time/steady-clock.js';
import { Admission, type AdmissionLimits } from './admission.js';
import { OutstandingBytes } from './outstanding-bytes.js';
import { Pressure } from './pressure.js';
import { RefusedStreams } from './refused-streams.js';
import type { StreamEnd } from './stream-end.js';
import type { StreamInfo } from './stream-info.js';
import { StreamTally } from './stream-tally.js';

/** The injection token of {@link StreamOptions}. */
export const STREAM_OPTIONS = Symbol('stream options');

export interface StreamOptions extends Partial<AdmissionLimits> {
  /** Milliseconds of silence after which a comment is written. 0: never. */
  readonly heartbeat: number;
  /** Milliseconds after which a stream is ended; each lives a random 80–100 % of it. 0: never. */
  readonly maxAge: number;
  /** Milliseconds that a socket may take nothing before it is cut, and an ended stream may take to close. */
  readonly writeTimeout: number;
  /** Bytes that all streams together may hold for their clients. Default: an eighth of the heap's limit. */
  readonly maxOutstanding?: number | undefined;
  /** How many refused streams may be held for a while before they end: see `RefusedStreams`. */
  readonly maxHeldRefusals?: number | undefined;
  /** Whether streams get notices where they do not say. Default: yes. */
  readonly notices?: boolean | undefined;
}

/** A stream that is open, as the registry sees it. Times are milliseconds on the monotonic clock. */
export interface OpenStream {
  readonly openedAt: number;
  readonly lastWriteAt: number;
  /** Since when its socket is full and has taken nothing; 0 while it is not full. */
  readonly fullSince: number;
  /** When it was told to end; 0 before. */
  readonly endedAt: number;
  readonly info: StreamInfo;
  /** Its number in this process, in the order of coming. Given by the registry. */
  serial: number;
  /** What an administrator wants to know of it besides, in a few words. */
  describe(): Readonly<Record<string, unknown>>;
  /** The rest of it, which may be long. */
  detail(): Readonly<Record<string, unknown>>;
  /** Writes a comment, which clients ignore and proxies count as life. */
  heartbeat(): void;
  /** Tells its client once why it will end, before it is told to {@link end}. */
  tellOfEnd(reason: StreamEnd): void;
  /**
   * Ends the response cleanly, after having told why.
   * @param retry when its client is to come back, in milliseconds. Default: a random delay.
   */
  end(reason: StreamEnd, retry?: number): void;
  /** Closes it at once, also after it was told to end: the reader does not read. */
  cut(reason: StreamEnd): void;
  /** Resolves once the last byte is out and the response closed; rejects when told to give up. */
  finished(signal?: AbortSignal): Promise<void>;
}

/** Milliseconds that clients are given to read the end of their streams when the process stops. */
const PATIENCE = 3_000;

/**
 * Milliseconds that a full socket may take nothing while the bytes outstanding over all streams have reached their
 * limit, if the write time-out is not shorter: other streams wait for the memory that it holds.
 */
const PRESSED = 2_000;

/** The reconnection delay that a stream begins with, in milliseconds. Random, so that a restart is not a stampede. */
export function randomRetry(random: () => number = Math.random): number {
  return Math.round(1_000 + random() * 3_000);
}

/**
 * Every open stream of this process. One timer looks after all of them, so that ten thousand idle streams cost a walk
 * over a map, not ten thousand timers; while no stream is open there is none.
 */
@Injectable()
export class StreamRegistry implements OnModuleInit, OnApplicationShutdown {
  /** @internal Whether this process has more to do than it can. */
  readonly pressure = new Pressure();
  /** @internal What the clients of all streams have not taken yet. */
  readonly outstanding: OutstandingBytes;
  /** @internal Counts and sums up what becomes of streams. */
  readonly tally = new StreamTally(() => this.size);
  private readonly deadlines = new Map<OpenStream, number>();
  private readonly refused: RefusedStreams;
  private readonly background = new Background();
  private readonly admission: Admission;
  private readonly bars: ((info: StreamInfo) => StreamEnd | undefined)[] = [];
  private serial = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @internal Nest calls it. */
  constructor(@Inject(STREAM_OPTIONS) private readonly options: StreamOptions) {
    this.admission = new Admission(options);
    this.outstanding = new OutstandingBytes(options.maxOutstanding);
    this.refused = new RefusedStreams(options.maxHeldRefusals);
  }

  /** Milliseconds of silence after which a stream gets a comment; 0 is never. */
  get heartbeat(): number {
    return this.options.heartbeat;
  }

  /** Whether streams get notices where they do not say. */
  get notices(): boolean {
    return this.options.notices ?? true;
  }

  /** Milliseconds that a socket may take nothing before it is cut. */
  get writeTimeout(): number {
    return this.options.writeTimeout;
  }

  get size(): number {
    return this.deadlines.size;
  }

  /** How many streams may be open at once; 0 is no limit. */
  get limit(): number {
    return this.options.maxConnections ?? 0;
  }

  /** How many refused streams have not closed yet. */
  get refusedCount(): number {
    return this.refused.size;
  }

  onModuleInit(): void {
    this.pressure.start();
    this.tally.start();
  }

  /** @internal Whether there is room for one more stream of this client's (R16, R59). */
  admits(info: StreamInfo): boolean {
    return !this.pressure.shedsStreams && this.admission.admits(info, this.size);
  }

  /** @internal */
  add(stream: OpenStream): void {
    const { maxAge } = this.options;
    this.serial += 1;
    stream.serial = this.serial;
    this.admission.enter(stream.info);
    this.tally.noteOpened();
    this.deadlines.set(stream, maxAge === 0 ? Infinity : stream.openedAt + maxAge * (0.8 + Math.random() * 0.2));
    this.watch();
    // The next sweep would come too late for a stream that expires this soon.
    if (this.expiresSoon(stream)) stream.end('expired');
    else this.endIfBarred(stream);
  }

  /**
   * @internal
   * Has each stream that comes from now on end at once where `bar` gives a reason: its caller may have been let in long
   * before.
   */
  addBar(bar: (info: StreamInfo) => StreamEnd | undefined): void {
    this.bars.push(bar);
  }

  /** @internal Why a caller may not go on, where one of the bars has a reason. */
  reasonAgainst(info: StreamInfo): StreamEnd | undefined {
    for (const bar of this.bars) {
      const reason = bar(info);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  private endIfBarred(stream: OpenStream): void {
    const reason = this.reasonAgainst(stream.info);
    if (reason !== undefined) stream.end(reason);
  }

  /** @internal A stream is over, for this reason. */
  delete(stream: OpenStream, reason: StreamEnd): void {
    if (this.deadlines.delete(stream)) {
      this.admission.leave(stream.info);
      this.tally.ended.add(reason);
    }
    this.unwatch();
  }

  /** @internal Ends a stream that is not admitted, after a while. It is looked after until it has closed, and counts nowhere. */
  refuse(stream: OpenStream, reason: StreamEnd): void {
    this.refused.add(stream, reason, performance.now());
    this.tally.refused.add(reason);
    this.watch();
    this.endIfBarred(stream);
    void this.forgetRefused(stream);
  }

  private async forgetRefused(stream: OpenStream): Promise<void> {
    // A client that resets its connection is gone as well.
    await stream.finished().catch(() => undefined);
    this.refused.delete(stream);
    this.unwatch();
  }

  /** @internal The open streams with a number above `after`, oldest first. */
  *after(after: number): Iterable<OpenStream> {
    for (const stream of this.deadlines.keys()) if (stream.serial > after) yield stream;
  }

  /** @internal Ends those that `isMeant` is true of, and tells how many they were. */
  endWhere(isMeant: (stream: OpenStream) => boolean, reason: StreamEnd): number {
    const meant = [...this.deadlines.keys()].filter(isMeant);
    for (const stream of meant) stream.end(reason);
    return meant.length;
  }

  /** @internal Ends the streams that are refused, and held for a while. */
  endRefused(reason: StreamEnd): void {
    for (const stream of this.refused) stream.end(reason);
  }

  onApplicationShutdown(): void {
    this.pressure.stop();
    this.tally.stop();
  }

  /**
   * Resolves once all streams that there are now are over, and cuts those whose clients have not read the end in time. Never
   * rejects.
   */
  async finish(): Promise<void> {
    const streams = [...this.deadlines.keys()];
    const patience = AbortSignal.timeout(PATIENCE);
    // Each stream listens to it, and Node would take so many listeners for a leak.
    setMaxListeners(0, patience);
    await Promise.all(streams.map((stream) => stream.finished(patience).catch(() => stream.cut('drain'))));
  }

  private watch(): void {
    this.timer ??= setInterval(() => this.sweep(performance.now()), this.period()).unref();
  }

  private unwatch(): void {
    if (this.deadlines.size > 0 || this.refused.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private sweep(now: number): void {
    this.refused.release(now);
    for (const stream of this.refused) if (this.isStuck(stream, now)) stream.cut('stalled');
    const quiet: OpenStream[] = [];
    for (const [stream, deadline] of this.deadlines) {
      if (this.isStuck(stream, now)) stream.cut('stalled');
      else if (this.expiresSoon(stream)) stream.end('expired');
      else if (now >= deadline) stream.end('max-age');
      else if (this.isQuiet(stream, now)) quiet.push(stream);
    }
    if (quiet.length > 0) void this.background.run(this.beat(quiet));
  }

  /** Whether it is time for a comment: half a period early rather than late, because clients and proxies may time out. */
  private isQuiet({ info, lastWriteAt }: OpenStream, now: number): boolean {
    const heartbeat = info.wishes?.heartbeat ?? this.options.heartbeat;
    return heartbeat !== 0 && now - lastWriteAt >= heartbeat - this.period() / 2;
  }

  /** Writes comments, of which many streams that got the same update last want one at the same time. */
  private *beat(streams: readonly OpenStream[]): Generator<void, void> {
    for (const stream of streams) {
      if (this.deadlines.has(stream)) stream.heartbeat();
      yield;
    }
  }

  /** Whether its client does not take what it is sent, be it events or the end of the stream. */
  private isStuck({ endedAt, fullSince }: OpenStream, now: number): boolean {
    const { writeTimeout } = this.options;
    if (endedAt > 0) return now - endedAt >= writeTimeout;
    const patience = this.outstanding.isExhausted ? Math.min(writeTimeout, PRESSED) : writeTimeout;
    return fullSince > 0 && now - fullSince >= patience;
  }

  /**
   * Whether the caller's grants end before the next sweep. Such a stream ends now: by that time and not after it (R62).
   */
  private expiresSoon({ info }: OpenStream): boolean {
    const { expiresAt } = info.caller;
    return expiresAt !== undefined && expiresAt <= believedNow() + this.period();
  }

  /** Milliseconds between two sweeps: a tenth of the shortest limit, but at least 5 and at most 1,000. */
  private period(): number {
    const { heartbeat, maxAge, writeTimeout } = this.options;
    const shortest = Math.min(heartbeat || Infinity, maxAge || Infinity, writeTimeout);
    return Math.min(1_000, Math.max(5, shortest / 10));
  }
}
