import type { HeraldEvents } from './api.js';
import type { Connection } from './connection.js';
import { HeraldError } from './errors.js';
import { LOAD_AGAIN, notLoaded } from './loading.js';
import type { Matcher } from './matcher.js';
import type { Part } from './part.js';
import type { Checkpoint } from './places.js';
import { bundlesOf, type Subscription } from './subscription.js';
import {
  type ConnectionListener,
  type ConnectionState,
  isGap,
  type Notice,
  type Source,
  type SourceListener,
  type WireMessage,
} from './wire.js';

export interface FeedOptions {
  /** Opens the source of the feed's messages. */
  readonly open: (listener: SourceListener) => Source | Promise<Source>;
  /** Opens a connection for the history after `since`. */
  readonly openAt: (since: string, listener: ConnectionListener) => Connection;
  readonly emit: <Name extends 'error' | 'notice'>(name: Name, event: HeraldEvents[Name]) => void;
  readonly onState: () => void;
  /** The position that a reload could resume from has moved. */
  readonly onProgress: () => void;
}

/** Several subscriptions on one source: each gets the messages that match it, once and in one order. */
export class Feed implements SourceListener {
  current: ConnectionState = 'idle';
  readonly #options: FeedOptions;
  readonly #subscriptions = new Set<Subscription>();
  /** What each stream covers. */
  readonly #covered = new Map<string, ReadonlySet<Matcher>>();
  #source: Source | undefined;
  /** Why the source has failed. */
  #failure: HeraldError | undefined;
  #isClosed = false;
  #isSuspended = false;
  #isCatchingUp = false;
  #isTelling = false;
  #hasReported = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    void this.#start();
  }

  /** How far subscriptions have got: those that are live to where their stream is, others to where they resume. */
  get checkpoints(): Checkpoint[] {
    return this.#parts().map((part) => ({ id: this.#reached(part), keys: part.matchers, isLive: part.isLive }));
  }

  add(subscription: Subscription): void {
    this.#subscriptions.add(subscription);
    if (this.current === 'failed' && this.#failure) subscription.fail(this.#failure);
    this.#want();
    this.#settle(subscription.parts);
  }

  remove(subscription: Subscription): void {
    this.#subscriptions.delete(subscription);
    for (const part of subscription.parts) part.catchUp?.drop(part);
    this.#want();
  }

  hurry(evenIfFailed?: boolean): void {
    if (evenIfFailed) this.#retry();
    this.#source?.hurry(evenIfFailed);
    for (const { catchUp } of this.#parts()) catchUp?.hurry(evenIfFailed);
  }

  offline(): void {
    this.#source?.offline();
  }

  suspend(): void {
    this.#isSuspended = true;
    for (const part of this.#parts()) if (!part.isLive) this.#interrupt(part);
    this.#source?.suspend();
  }

  resume(): void {
    this.#isSuspended = false;
    this.#source?.resume();
    this.#settle();
  }

  close(): void {
    this.#isClosed = true;
    for (const { catchUp } of this.#parts()) catchUp?.close();
    for (const subscription of this.#subscriptions) subscription.end();
    this.#subscriptions.clear();
    this.#source?.close();
  }

  message(message: WireMessage, stream: string): void {
    this.#measure(stream, message.replayed);
    for (const part of this.#recipients(message, stream)) part.take(message);
    this.#options.onProgress();
  }

  notice(notice: Notice, stream: string): void {
    if (notice.type === 'caught-up' || notice.type === 'cursor') this.#measure(stream, false);
    if (isGap(notice)) for (const part of this.#on(stream)) part.notifyGap(notice);
    // The notice `cursor` says only where the stream is, which is for whoever resumes.
    if (notice.type !== 'cursor') this.#options.emit('notice', notice);
    this.#options.onProgress();
  }

  covers(stream: string, matchers: ReadonlySet<Matcher>): void {
    this.#covered.set(stream, matchers);
    if (matchers.size === 0) this.#covered.delete(stream);
    for (const part of this.#on(stream)) {
      if (part.isCoveredBy(matchers)) continue;
      this.#interrupt(part);
      part.isDisplaced ||= matchers.size === 0;
    }
    this.#settle();
  }

  missed(stream: string, lastEventId: string): void {
    for (const part of this.#on(stream)) {
      // A part that is catching up begins anew from its own position; one that waits has missed nothing yet.
      if (part.isLive) part.interrupt(part.ahead ?? lastEventId);
      else this.#interrupt(part);
    }
    this.#settle();
  }

  refused(matcher: Matcher, error: HeraldError): void {
    const parts = this.#parts().filter(({ matchers }) => matchers.includes(matcher));
    if (parts.length === 0) return;
    for (const part of parts) {
      part.refuse(matcher, error);
      if (part.isRefused) part.catchUp?.drop(part);
    }
    this.#options.emit('error', error);
    this.#want();
    this.#settle();
  }

  state(state: ConnectionState): void {
    this.current = state;
    const failure = this.#failure;
    if (state === 'failed' && failure) for (const subscription of this.#subscriptions) subscription.fail(failure);
    else if (state === 'open' || state === 'connecting') this.#retry();
    this.#options.onState();
  }

  error(error: HeraldError): void {
    // Should the source fail now, this is why.
    this.#failure = error;
    this.#options.emit('error', error);
  }

  async #start(): Promise<void> {
    const source = await this.#options.open(this);
    this.#source = source;
    if (this.#isClosed) source.close();
    else if (this.#isSuspended) source.suspend();
    this.#want();
  }

  #parts(): Part[] {
    return [...this.#subscriptions].flatMap(({ parts }) => parts);
  }

  /** Those that this stream covers. */
  #on(stream: string): Part[] {
    return this.#parts().filter((part) => part.stream === stream);
  }

  /** Says what is wanted, once for all changes that are made together. */
  #want(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      this.#source?.want(bundlesOf(this.#parts()));
    });
  }

  /** What failed is tried again. */
  #retry(): void {
    this.#failure = undefined;
    for (const subscription of this.#subscriptions) subscription.retry();
  }

  /** Stops a part where it is. It goes on from there when its topics are covered again. */
  #interrupt(part: Part): void {
    const { catchUp } = part;
    part.isWaiting = false;
    if (!part.isLive && !catchUp) return;
    part.interrupt(this.#reached(part));
    catchUp?.drop(part);
  }

  /** The id after which a part would go on; empty if that is not known. */
  #reached({ isLive, isDisplaced, ahead, stream = '', catchUp, since }: Part): string {
    if (!isLive) return catchUp?.cursor ?? since;
    return isDisplaced ? since : (ahead ?? this.#source?.cursorOf(stream) ?? '');
  }

  /** Who has come from another stream waits for as long as this one is behind: it brings again what was before. */
  #measure(stream: string, isBehind: boolean): void {
    const parts = this.#on(stream).filter(({ isDisplaced }) => isDisplaced);
    for (const part of parts) {
      if (isBehind) this.#interrupt(part);
      part.isDisplaced = isBehind;
      part.isWaiting = isBehind;
    }
    if (!isBehind) this.#settle(parts);
  }

  /** Parts that are covered by now go live at once: the next message may be part of the same bytes. */
  #settle(among: readonly Part[] = this.#parts()): void {
    const ready = this.#ready(among);
    for (const part of ready) {
      if (part.since) continue;
      part.isDisplaced = false;
      part.goLive();
    }
    if (ready.some(({ since }) => since) && !this.#isCatchingUp) void this.#catchUp();
  }

  /**
   * Begins to catch up for parts that have missed something. The code for it is loaded when it is first needed; what comes
   * until then is fetched with the history.
   */
  async #catchUp(): Promise<void> {
    this.#isCatchingUp = true;
    try {
      const { bringUp } = await import('./catch-up.js');
      bringUp(this.#ready(), this.#options, this);
    } catch (cause) {
      this.#options.emit('error', notLoaded('catch-up.js', cause));
      setTimeout(() => this.#settle(), LOAD_AGAIN);
    }
    this.#isCatchingUp = false;
  }

  /** The parts that wait and are covered, each of which is told by which stream. */
  #ready(among: readonly Part[] = this.#parts()): Part[] {
    if (this.#isSuspended) return [];
    return among.filter((part) => {
      if (part.isLive || part.catchUp || part.isWaiting) return false;
      const [stream] = [...this.#covered].find(([, matchers]) => part.isCoveredBy(matchers)) ?? [];
      part.stream = stream;
      return stream !== undefined;
    });
  }

  #recipients({ topics, replayed }: WireMessage, stream: string): Part[] {
    const all = this.#on(stream);
    if (topics.length > 0) {
      const some = all.filter((part) => part.topicAmong(topics));
      // What comes while the stream catches up may be for a matcher that it covers only afterwards.
      if (some.length === 0 && !replayed) this.#report(stream, topics);
      return some;
    }
    // The hub has matched the message but must not name its topic to this reader, or is a hub that never names topics.
    const some = bundlesOf(all).flat().length === 1 ? all : all.filter(({ isOpenEnded }) => isOpenEnded);
    if (some.length === 0) {
      this.error(new HeraldError('topics-unknown', 'This hub names no topics: use one client per topic.'));
    }
    return some;
  }

  /**
   * Nobody on its stream has recognised a message. That is so for a while before somebody begins, and after somebody has
   * stopped, and otherwise a fault.
   */
  #report(stream: string, topics: readonly string[]): void {
    const parts = this.#parts();
    if (parts.some((part) => part.topicAmong(topics))) return;
    const wanted = new Set(parts.flatMap(({ matchers }) => matchers));
    // A follower may hear of a leader's messages before it hears what that one's stream covers.
    const covered = this.#covered.get(stream);
    if (this.#hasReported || !covered || [...covered].some((one) => !wanted.has(one))) return;
    this.#hasReported = true;
    const what =
      'The hub has sent a topic that nobody has subscribed to: reach it by its own name (HERALD_RESOURCE), or use absolute topics and patterns.';
    this.#options.emit('error', new HeraldError('topics-unknown', what));
  }
}
