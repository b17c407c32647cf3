import { type BeforeApplicationShutdown, Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { HubError } from '../../access/hub.errors.js';
import { type OpenStream, randomRetry, StreamRegistry } from '../registry/stream-registry.js';
import { evenly, type Pace, REAL_PACE } from './evenly.js';

/** The injection token of {@link DrainOptions}. */
export const DRAIN_OPTIONS = Symbol('drain options');

export interface DrainOptions {
  /** Milliseconds between the word that the process is to be left alone and the first stream that ends. */
  readonly delay: number;
  /** Milliseconds over which the streams end. */
  readonly window: number;
  /** Whether no other process has the same log, so that readers can't come back before this one has been started again. */
  readonly isAlone: boolean;
  /** @internal Default: the machine's. */
  readonly pace?: Pace;
}

/**
 *     serving --begin--> announced --delay--> letting-go --the last one is told--> drained
 *        ^                   |                    |                                   |
 *        └----- resume ------┴--------------------┴-----------------------------------┘
 *
 * The end of the process begins it for good: then there is no way back.
 */
export type DrainState = 'serving' | 'announced' | 'letting-go' | 'drained';

/** Milliseconds that the next start of this process may take, if it is the only one. */
const RESTART = 2_000;

/** The longest by which delays that are otherwise the same differ by chance, in milliseconds: all may have ended at once. */
const JITTER = 3_000;

/**
 * Lets go of the streams of this process, one after the other, so that their readers do not all come back at once: before
 * the end of the process, when an administrator wants it to be left alone, or of some of them, where others have room. What
 * is still open is delivered to as always.
 */
@Injectable()
export class Drain implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger(Drain.name);
  private readonly listeners: (() => void)[] = [];
  private current: DrainState = 'serving';
  private isEnding = false;
  private aborting = new AbortController();
  private draining: Promise<void> | undefined;
  private rebalancing: Promise<void> | undefined;
  private finishing: Promise<void> = Promise.resolve();
  private readonly pace: Pace;

  /** @internal Nest calls it. */
  constructor(
    private readonly streams: StreamRegistry,
    @Inject(DRAIN_OPTIONS) private readonly options: DrainOptions,
  ) {
    this.pace = options.pace ?? REAL_PACE;
    // A stream that was asked for before, or by somebody who does not know.
    streams.addBar(() => (this.hasBegun ? 'drain' : undefined));
  }

  get state(): DrainState {
    return this.current;
  }

  /** Whether the process ends, and can't be taken back. */
  get isFinal(): boolean {
    return this.isEnding;
  }

  /** Whether new streams and batches end at once. */
  get hasBegun(): boolean {
    return this.current === 'letting-go' || this.current === 'drained';
  }

  /** Calls `listener` whenever this process begins to let go of its streams; at once where it has. */
  onLettingGo(listener: () => void): void {
    this.listeners.push(listener);
    if (this.hasBegun) listener();
  }

  /** Has the process left alone. Resolves once the last stream was told to end, or it is to be taken back. */
  begin(): Promise<void> {
    this.draining ??= this.drain(this.aborting.signal);
    return this.draining;
  }

  /** The same before the end of the process: there is no way back. */
  leave(): Promise<void> {
    this.isEnding = true;
    return this.begin();
  }

  /** Lets go of all streams at once from here on. */
  hurry(): void {
    this.isEnding = true;
    this.aborting.abort();
  }

  /**
   * Serves again. Streams that have ended stay so.
   * @throws {HubError} `drain-under-way` when the process ends.
   */
  resume(): void {
    if (this.isEnding) throw new HubError('drain-under-way', 'This process ends, and serves no more.');
    this.aborting.abort();
    this.aborting = new AbortController();
    this.draining = undefined;
    if (this.current === 'serving') return;
    this.current = 'serving';
    this.logger.log('the process serves again');
  }

  /**
   * Lets go of a share of the streams that there are now, taken evenly from the oldest to the newest. Answers with how many.
   * @throws {HubError} `drain-under-way` when streams are let go already.
   */
  rebalance(share: number): number {
    if (this.current !== 'serving' || this.rebalancing) {
      throw new HubError('drain-under-way', 'This process lets go of streams already: wait until it has done that.');
    }
    const chosen = shareOf([...this.streams.after(0)], share);
    const { window } = this.options;
    const over = this.endEvenly(chosen, this.aborting.signal, (stream) => stream.end('rebalance', randomRetry()));
    this.rebalancing = over.then(() => (this.rebalancing = undefined));
    this.logger.log({
      msg: 'some streams are let go, so that others take their readers',
      streams: chosen.length,
      window,
    });
    return chosen.length;
  }

  /** Lets go of all streams that are left, and resolves once the last bytes of all are out. Never rejects. */
  async finish(): Promise<void> {
    await this.leave();
    if (!this.hasBegun) this.letGo();
    for (const stream of this.streams.after(0)) stream.end('drain', this.retry());
    this.current = 'drained';
    await this.streams.finish();
  }

  /** Begins what is waited for below, where the end of the process has not had it done before. */
  async onModuleDestroy(): Promise<void> {
    await this.leave();
    this.finishing = this.finish();
  }

  /** Holds the closing of the sockets back until the streams' last bytes are out. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.finishing;
  }

  private async drain(signal: AbortSignal): Promise<void> {
    const { delay, window } = this.options;
    this.current = 'announced';
    const { size } = this.streams;
    if (size > 0) this.logger.log({ msg: 'the process lets go of its streams', streams: size, delay, window });
    if (delay > 0) await this.pace.sleep(delay, signal);
    if (signal.aborted) return;
    this.letGo();
    await this.endEvenly([...this.streams.after(0)], signal, (stream) => stream.end('drain', this.retry()));
    if (!signal.aborted) this.current = 'drained';
  }

  private endEvenly(
    streams: readonly OpenStream[],
    signal: AbortSignal,
    end: (stream: OpenStream) => void,
  ): Promise<void> {
    return evenly(streams, { window: this.options.window, signal }, end, this.pace);
  }

  private letGo(): void {
    this.current = 'letting-go';
    for (const listener of this.listeners) listener();
    this.streams.endRefused('drain');
  }

  /**
   * When a reader is to come back, in milliseconds: soon, to another process; where there is none, when this one has been
   * started again. All come back as evenly as they were let go.
   */
  private retry(): number {
    const { isAlone, window } = this.options;
    return isAlone ? Math.round(window + RESTART + Math.random() * JITTER) : randomRetry();
  }
}

/** So many of the items as the share says, rounded up, which lie as evenly among the others as they can. */
export function shareOf<T>(items: readonly T[], share: number): T[] {
  const before = (index: number): number => Math.ceil(index * share);
  return items.filter((_, index) => before(index + 1) > before(index));
}
