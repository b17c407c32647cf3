import type { HeraldClientOptions } from './api.js';
import { Asking, LINGER } from './asking.js';
import { type Backoff, createBackoff } from './backoff.js';
import { HeraldError } from './errors.js';
import type { ParsedEvent } from './event-parser.js';
import { fetchStream } from './fetch-stream.js';
import { Gathering } from './gathering.js';
import type { Matcher } from './matcher.js';
import { REMEMBERED, Repeats } from './repeats.js';
import type { Stream, StreamEnd, StreamHead, StreamRequest, StreamSettings } from './stream.js';
import { toError } from './stream-error.js';
import { type ConnectionListener, type ConnectionState, type Start, toNotice } from './wire.js';

export interface ConnectionOptions extends Pick<HeraldClientOptions, 'backoff' | 'closeDelay' | 'transport'> {
  readonly settings: StreamSettings;
  /** Default: from now on. */
  readonly start: Start | undefined;
  /** Whether one stream can carry all of these, as far as is known. Default: it can. */
  readonly fits?: (matchers: readonly Matcher[]) => boolean;
  /** Further parameters of each request, such as `max_rate=2`. */
  readonly parameters?: string | undefined;
}

/** Milliseconds to keep a connection that nobody wants any more. */
const CLOSE_DELAY = 2_000;

/** Milliseconds after which a stream that carried no message counts as good, which resets the backoff. */
const GOOD_AGE = 30_000;

/** Milliseconds after which an attempt without an answer is replaced when the page or the network is back. */
const HANGING = 2_000;

/** One stream and its state. */
interface Leg {
  stream?: Stream;
  /** The matchers that the stream was asked for. */
  readonly matchers: ReadonlySet<Matcher>;
  readonly askedAt: number;
  /** From when on the stream counts as good, on the clock of `performance.now()`. */
  goodAt: number;
  isReplaying?: boolean;
  /** Whether the network was gone meanwhile, so that the stream may be dead. */
  isSuspect?: boolean;
  /** What the stream before has brought since this one was asked for, which this one brings again. */
  repeats: Repeats;
}

/**
 * Keeps one stream with the hub for as long as there are matchers: it reconnects after every end, resumes where it was,
 * and changes what it carries without loss (a second stream is open before the first is closed).
 */
export class Connection {
  /** The matchers of which it delivers all messages. */
  covered: ReadonlySet<Matcher>;
  cursor: string;
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  readonly #backoff: Backoff;
  readonly #asking = new Asking();
  #isWanted = false;
  #current: Leg | undefined;
  /** The stream that is to become the current one, once the hub has answered. */
  #next: Leg | undefined;
  /** Waits for the next attempt. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Waits before dropping what nobody wants any more, or closing a connection that nobody wants any more. */
  #closing: ReturnType<typeof setTimeout> | undefined;
  #state: ConnectionState = 'idle';
  #reason: StreamRequest['reason'] = 'initial';
  readonly #changes = new Gathering();
  /** Until when the hub wants to be left alone, on the clock of `performance.now()`. */
  #notBefore = 0;
  /** Whether the hub has refused more than matchers, so that it is of no use to ask again. */
  #hasGivenUp = false;
  #isSuspended = false;

  constructor(options: ConnectionOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#backoff = createBackoff(options.backoff);
    this.covered = options.start?.covered ?? new Set();
    this.cursor = options.start?.cursor ?? '';
  }

  /** Asks for exactly these matchers. With none, the connection is closed after a while. */
  want(matchers: readonly Matcher[]): void {
    this.#asking.want(matchers, performance.now());
    this.#isWanted = matchers.length > 0;
    this.#adapt();
  }

  hurry(evenIfFailed?: boolean): void {
    if (this.#isSuspended) return;
    this.#current?.stream?.look();
    if (evenIfFailed) this.#forgive();
    else if (performance.now() < this.#notBefore) return;
    if (this.#next && performance.now() - this.#next.askedAt > HANGING) {
      this.#next.stream?.close();
      this.#next = undefined;
    }
    if (!this.#current || this.#current.isSuspect) this.#dial();
  }

  offline(): void {
    if (this.#isStopped || this.#state === 'idle') return;
    if (this.#current) this.#current.isSuspect = true;
    this.#enter('offline');
  }

  suspend(): void {
    this.#isSuspended = true;
    if (this.#current || this.#next) this.#enter('waiting');
    this.#letGo();
  }

  resume(): void {
    if (!this.#isSuspended) return;
    this.#isSuspended = false;
    if (this.#state === 'waiting' || this.#state === 'offline') this.#enter('idle');
    this.#adapt();
  }

  close(): void {
    this.#letGo();
    this.#enter('closed');
  }

  get #isStopped(): boolean {
    return this.#isSuspended || this.#hasGivenUp || this.#state === 'closed';
  }

  /** Whatever was refused is asked for again. */
  #forgive(): void {
    this.#asking.forgive();
    this.#hasGivenUp = false;
    this.#notBefore = 0;
    if (this.#reason === 'unauthorized') this.#reason = 'reconnect';
    if (this.#state === 'failed') this.#enter('waiting');
  }

  /** Sees to it that a stream carries what is wanted. */
  #adapt(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#closing);
    const current = this.#current;
    if (!this.#isWanted) this.#closing = setTimeout(() => this.#rest(), this.#options.closeDelay ?? CLOSE_DELAY);
    else if (current) this.#adjust(current);
    // Who waits for the next attempt asks then for what is wanted by then.
    else if (!this.#next && this.#timer === undefined) this.#changes.soon(() => this.#dial());
  }

  #adjust(current: Leg): void {
    if (this.#asking.isMissing(current.matchers)) this.#changes.soon(() => this.#dial());
    else if (this.#asking.hasSurplus(current.matchers)) this.#closing = setTimeout(() => this.#dial(), LINGER + 1);
  }

  /** Closes everything, as there are no matchers. Nobody misses what is published now, so the cursor is dropped. */
  #rest(): void {
    this.#letGo();
    this.cursor = '';
    this.#cover(new Set());
    this.#enter('idle');
  }

  /** Opens a stream for what is wanted now, unless there is one. */
  #dial(): void {
    this.#stopWaiting();
    // When the stream that was asked for has opened or failed, what is wanted by then is looked at again.
    if (this.#isStopped || this.#next) return;
    const matchers = this.#toAsk();
    if (!this.#isWanted || matchers.length === 0 || this.#isGoodFor(matchers)) return;
    const askedAt = performance.now();
    const leg: Leg = { matchers: new Set(matchers), askedAt, goodAt: Infinity, repeats: new Repeats() };
    this.#next = leg;
    if (!this.#current) this.#enter('connecting');
    const { settings, transport = fetchStream, parameters } = this.#options;
    const query = [positionOf(this.cursor), 'with=notices&with=topics', parameters, ...matchers];
    const request = {
      query: query.filter(Boolean).join('&'),
      isResuming: this.cursor !== '',
      reason: this.#reason,
    };
    settings.debug(`asks for ${matchers.length} matchers after ${this.cursor || 'now'}`);
    leg.stream = transport(settings, request, {
      opened: (head) => this.#opened(leg, head),
      event: (event) => this.#take(leg, event),
      moved: (id) => this.#move(leg, id),
      retry: (milliseconds) => this.#backoff.setFloor(milliseconds),
      tooLong: () => this.#skip(leg),
      over: (end) => this.#over(leg, end),
    });
  }

  /** What the next stream is to ask for. What nobody wants any more makes room for what somebody wants. */
  #toAsk(): Matcher[] {
    const now = performance.now();
    const matchers = this.#asking.next(now);
    return (this.#options.fits?.(matchers) ?? true) ? matchers : this.#asking.next(now + LINGER);
  }

  /** Whether the current stream was asked for exactly these matchers, and is not in doubt. */
  #isGoodFor(matchers: readonly Matcher[]): boolean {
    const current = this.#current;
    if (!current || current.isSuspect) return false;
    return current.matchers.size === matchers.length && matchers.every((one) => current.matchers.has(one));
  }

  #opened(leg: Leg, head: StreamHead): void {
    const before = this.#current;
    before?.stream?.close();
    this.#current = leg;
    this.#next = undefined;
    // A stream that replaces another begins where that one was when it was asked for, which may have gone on since, even if it
    // is gone by now.
    if (!before && leg.repeats.size === 0) this.cursor = head.cursor || this.cursor;
    leg.goodAt = performance.now() + GOOD_AGE;
    leg.isReplaying = head.isReplaying;
    this.#reason = 'reconnect';
    this.#asking.taken(leg.matchers);
    this.#options.settings.debug(`reads ${leg.matchers.size} matchers`);
    // Until the stream has caught up, only matchers that were covered before are sure to miss nothing.
    this.#cover(leg.isReplaying ? new Set([...leg.matchers].filter((one) => this.covered.has(one))) : leg.matchers);
    this.#enter('open');
    // What is wanted may have changed since this stream was asked for.
    this.#adapt();
  }

  #move(leg: Leg, id: string): void {
    // What comes again was already passed.
    if (leg === this.#current && leg.repeats.size === 0) this.cursor = id;
  }

  #take(leg: Leg, event: ParsedEvent): void {
    // The handling of an earlier event of the same chunk has closed the stream.
    if (leg !== this.#current) return;
    leg.isSuspect = false;
    if (this.#state === 'offline') this.#enter('open');
    if (event.type === 'herald') {
      this.#heed(leg, event.data);
      return;
    }
    leg.goodAt = 0;
    if (leg.repeats.has(event.id)) return;
    this.#listener.message({ ...event, replayed: Boolean(leg.isReplaying) });
    const next = this.#next;
    if (!next) return;
    next.repeats.add(event.id);
    // Not more are remembered, so this stream ends here, and the next one brings the rest.
    if (next.repeats.size < REMEMBERED / 2) return;
    leg.stream?.close();
    this.#current = undefined;
  }

  #heed(leg: Leg, data: string): void {
    const notice = toNotice(data);
    if (!notice) return;
    if (notice.type === 'caught-up') {
      leg.isReplaying = false;
      leg.repeats = new Repeats();
      this.#cover(leg.matchers);
    }
    if (notice.type === 'expired') this.#reason = notice.type;
    this.#listener.notice(notice);
  }

  #skip(leg: Leg): void {
    if (leg !== this.#current) return;
    this.#listener.error(new HeraldError('too-large', 'An event was too large to be held, and is left out.'));
    this.#listener.notice({ type: 'gap', reason: 'too-large', updates: 1 });
  }

  #over(leg: Leg, end: StreamEnd): void {
    const { code, problem } = end;
    if (leg === this.#current) this.#current = undefined;
    else this.#next = undefined;
    if (code === 'unauthorized' && this.#options.settings.token && this.#reason !== code) {
      this.#reason = code;
      this.#dial();
    } else if (end.isCurable) {
      this.#listener.crowded([...leg.matchers]);
      this.#dial();
    } else if (code === 'refused' && problem?.blames) {
      this.#judge(leg, end);
    } else this.#end(leg, end);
  }

  /** The stream is refused because of what it asks for, and not because of who asks. */
  #judge(leg: Leg, end: StreamEnd): void {
    const asked = [...leg.matchers];
    const { blames, limit } = end.problem ?? {};
    const isTooMuch = blames === 'all';
    if (!isTooMuch || !this.#listener.crowded(asked, limit)) {
      const error = toError(end);
      const verdict = this.#asking.refused(asked, isTooMuch, error);
      if (verdict.kind !== 'again') this.#listener[verdict.kind](verdict.matcher, error);
    }
    // Nothing is left that the hub takes.
    if (!this.#current && this.#asking.isEmpty) this.#enter('idle');
    this.#dial();
  }

  #end(leg: Leg, end: StreamEnd): void {
    const error = end.code && toError(end);
    if (error) this.#listener.error(error);
    this.#options.settings.debug(error?.message ?? 'has ended in order');
    // The next stream has already been requested.
    if (this.#next) this.#enter('connecting');
    else if (!end.isFinal) this.#comeBack(leg, end.retryAfter);
    // If the hub refuses the stream that was to replace a good one, the good one goes on.
    else if (!this.#current) {
      this.#hasGivenUp = true;
      this.#enter('failed');
    }
  }

  #comeBack(leg: Leg, retryAfter: number | undefined): void {
    const backoff = this.#backoff;
    const wasGood = performance.now() > leg.goodAt;
    if (wasGood) backoff.reset();
    // Node 20 knows no `navigator`.
    const { navigator } = globalThis as { readonly navigator?: { readonly onLine?: boolean } };
    if (!this.#current) this.#enter(navigator?.onLine === false ? 'offline' : 'waiting');
    if (retryAfter) this.#notBefore = performance.now() + retryAfter;
    // After a good stream that ended only because its token expired, the client reconnects without delay.
    const delay = wasGood && this.#reason === 'expired' ? 0 : backoff.next(retryAfter);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#dial(), delay);
  }

  /** No attempt waits for its time any more. */
  #stopWaiting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#changes.stop();
  }

  #letGo(): void {
    this.#stopWaiting();
    clearTimeout(this.#closing);
    this.#current?.stream?.close();
    this.#next?.stream?.close();
    this.#current = undefined;
    this.#next = undefined;
  }

  #cover(matchers: ReadonlySet<Matcher>): void {
    this.covered = matchers;
    this.#listener.covers(matchers);
  }

  #enter(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.settings.debug(`is ${state}`);
    this.#listener.state(state);
  }
}

/** The parameter that says where to begin. It is in the query, because a header would cost a CORS preflight. */
function positionOf(cursor: string): string {
  if (cursor === '#latest') return 'begin=latest';
  return cursor.startsWith('#') ? `last=${cursor.slice(1)}` : `last_event_id=${encodeURIComponent(cursor)}`;
}
