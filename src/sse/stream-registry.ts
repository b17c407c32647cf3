import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Admission, type AdmissionLimits } from './admission.js';
import type { StreamEnd } from './stream-end.js';
import type { StreamInfo } from './stream-info.js';

/** The injection token of {@link StreamOptions}. */
export const STREAM_OPTIONS = Symbol('stream options');

export interface StreamOptions extends Partial<AdmissionLimits> {
  /** Milliseconds of silence after which a comment is written. 0: never. */
  readonly heartbeat: number;
  /** Milliseconds after which a stream is ended; each lives a random 80–100 % of it. 0: never. */
  readonly maxAge: number;
  /** Milliseconds that a socket may stay full before it is cut. */
  readonly writeTimeout: number;
}

/** A stream that is open, as the registry sees it. Times are milliseconds on the monotonic clock. */
export interface OpenStream {
  readonly openedAt: number;
  readonly lastWriteAt: number;
  /** When its socket became full; 0 while it is not. */
  readonly fullSince: number;
  readonly info: StreamInfo;
  /** Its number in this process, in the order of coming. Given by the registry. */
  serial: number;
  /** What an administrator wants to know of it besides. */
  describe(): Readonly<Record<string, unknown>>;
  /** Writes a comment, which clients ignore and proxies count as life. */
  heartbeat(): void;
  /** Ends the response cleanly. */
  end(reason: StreamEnd): void;
  /** Ends it without ceremony: the reader does not read. */
  cut(reason: StreamEnd): void;
  /** Resolves once the last byte is out and the response closed; rejects when told to give up. */
  finished(signal: AbortSignal): Promise<void>;
}

/** Milliseconds that clients are given to read the end of their streams when the process stops. */
const PATIENCE = 3_000;

/** The reconnection delay that a stream begins with, in milliseconds. Random, so that a restart is not a stampede. */
export function randomRetry(random: () => number = Math.random): number {
  return Math.round(1_000 + random() * 3_000);
}

/**
 * Every open stream of this process. One timer looks after all of them, so that ten thousand idle streams cost a walk
 * over a map, not ten thousand timers; while no stream is open there is none.
 */
@Injectable()
export class StreamRegistry implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly deadlines = new Map<OpenStream, number>();
  private readonly admission: Admission;
  private serial = 0;
  private timer: NodeJS.Timeout | undefined;
  private draining = false;
  private finishing: readonly Promise<void>[] = [];

  constructor(@Inject(STREAM_OPTIONS) private readonly options: StreamOptions) {
    this.admission = new Admission(options);
  }

  /** Milliseconds of silence after which a stream gets a comment; 0 is never. */
  get heartbeat(): number {
    return this.options.heartbeat;
  }

  get size(): number {
    return this.deadlines.size;
  }

  /** Whether there is room for one more stream of this client's (R16, R59). */
  admits(info: StreamInfo): boolean {
    return this.admission.admits(info, this.size);
  }

  add(stream: OpenStream): void {
    const { maxAge } = this.options;
    this.serial += 1;
    stream.serial = this.serial;
    this.admission.enter(stream.info);
    this.deadlines.set(stream, maxAge === 0 ? Infinity : stream.openedAt + maxAge * (0.8 + Math.random() * 0.2));
    this.timer ??= setInterval(() => this.sweep(performance.now()), this.period()).unref();
    // A stream that was asked for just before the process began to stop, and got here just after.
    if (this.draining) stream.end('drain');
    // One that the next look would come too late for.
    else if (this.expiresSoon(stream)) stream.end('expired');
  }

  delete(stream: OpenStream): void {
    if (this.deadlines.delete(stream)) this.admission.leave(stream.info);
    if (this.deadlines.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** The open streams with a number above `after`, oldest first. */
  *after(after: number): Iterable<OpenStream> {
    for (const stream of this.deadlines.keys()) if (stream.serial > after) yield stream;
  }

  /** Ends those that `isMeant` is true of, and tells how many they were. */
  endWhere(isMeant: (stream: OpenStream) => boolean, reason: StreamEnd): number {
    const meant = [...this.deadlines.keys()].filter(isMeant);
    for (const stream of meant) stream.end(reason);
    return meant.length;
  }

  /** The process begins to stop: ends every stream, each with its own random `retry:`. */
  onModuleDestroy(): void {
    this.draining = true;
    const patience = AbortSignal.timeout(PATIENCE);
    this.finishing = [...this.deadlines.keys()].map((stream) => stream.finished(patience));
    for (const stream of this.deadlines.keys()) stream.end('drain');
  }

  /** Holds the closing of the sockets back until the streams' last bytes are out. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.allSettled(this.finishing);
  }

  private sweep(now: number): void {
    const { heartbeat, writeTimeout } = this.options;
    // Half a period early rather than late: what waits for the heartbeat is somebody's timeout.
    const quiet = heartbeat === 0 ? Infinity : heartbeat - this.period() / 2;
    for (const [stream, deadline] of this.deadlines) {
      if (stream.fullSince > 0 && now - stream.fullSince >= writeTimeout) stream.cut('stalled');
      else if (this.expiresSoon(stream)) stream.end('expired');
      else if (now >= deadline) stream.end('max-age');
      else if (now - stream.lastWriteAt >= quiet) stream.heartbeat();
    }
  }

  /** By then, and not after (R62): whatever ends before the next look ends now. */
  private expiresSoon({ info }: OpenStream): boolean {
    const { expiresAt } = info.caller;
    return expiresAt !== undefined && expiresAt <= Date.now() + this.period();
  }

  /** Fine enough for both limits, never more often than it pays. */
  private period(): number {
    const { heartbeat, maxAge, writeTimeout } = this.options;
    const shortest = Math.min(heartbeat || Infinity, maxAge || Infinity, writeTimeout);
    return Math.min(1_000, Math.max(5, shortest / 10));
  }
}
