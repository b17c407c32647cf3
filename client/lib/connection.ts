import type { HeraldClientOptions } from './api.js';
import { Asking, LINGER } from './asking.js';
import { type Backoff, createBackoff } from './backoff.js';
import { HeraldError, type HeraldErrorCode } from './errors.js';
import type { ParsedEvent } from './event-parser.js';
import { fetchStream } from './fetch-stream.js';
import type { Matcher } from './matcher.js';
import { explain } from './refusal-text.js';
import { REMEMBERED, Repeats } from './repeats.js';
import type { Stream, StreamEnd, StreamHead, StreamRequest, StreamSettings } from './stream.js';
import type { ConnectionState, Notice, Start, WireMessage } from './wire.js';

export interface ConnectionOptions extends Pick<HeraldClientOptions, 'backoff' | 'closeDelay' | 'transport'> {
  readonly settings: StreamSettings;
  /** Default: from now on. */
  readonly start: Start | undefined;
  /** Further parameters of each request, such as `max_rate=2`. */
  readonly parameters?: string | undefined;
}

export interface ConnectionListener {
  message(message: WireMessage): void;
  notice(notice: Notice): void;
  /** From here on every message that one of these matches is delivered, whatever happens to streams. */
  covers(matchers: ReadonlySet<Matcher>): void;
  /** The hub has refused this matcher for good. It is not asked for any more, and the others go on. */
  refused(matcher: Matcher, error: HeraldError): void;
  /** The hub takes this matcher, but not on top of the others. It is not asked for any more. */
  full(matcher: Matcher, error: HeraldError): void;
  /** It has become known how much one stream can carry, and this is more. Less may be wanted at once. */
  crowded(): void;
  state(state: ConnectionState): void;
  error(error: HeraldError): void;
}

/** Milliseconds for which changes are gathered before a stream is asked for: at least, and at most when they go on. */
const GATHER = { least: 10, most: 250 };

/** Milliseconds since the last stream was asked for, within which the next change counts as one of a series. */
const SERIES = 1_000;

/** Milliseconds to keep a connection that nobody wants any more. */
const CLOSE_DELAY = 2_000;

/** Milliseconds after which a stream that carried no message counts as good, which resets the backoff. */
const GOOD_AGE = 30_000;

/** Milliseconds after which an attempt without an answer is replaced when the page or the network is back. */
const HANGING = 2_000;

/** Errors after which it is of no use to reconnect. */
const FINAL = new Set<HeraldErrorCode | undefined>(['unauthorized', 'refused', 'stopped', 'misused']);

/** The hub's codes that say that there are too many matchers for one request. */
const TOO_MUCH = new Set(['matchers-too-many', 'matchers-too-costly', 'parameters-too-many', 'head-too-large']);

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
  cursor: string;
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  readonly #backoff: Backoff;
  readonly #asking = new Asking();
  #covered: ReadonlySet<Matcher>;
  #isWanted = false;
  #current: Leg | undefined;
  /** The stream that is to become the current one, once the hub has answered. */
  #next: Leg | undefined;
  /** Waits for the next attempt, or for further changes of the matchers. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Waits before dropping what nobody wants any more, or closing a connection that nobody wants any more. */
  #closing: ReturnType<typeof setTimeout> | undefined;
  #state: ConnectionState = 'idle';
  #reason: StreamRequest['reason'] = 'initial';
  #gather = GATHER.least;
  #isGathering = false;
  #askedAt = -Infinity;
  /** Until when the hub wants to be left alone, on the clock of `performance.now()`. */
  #notBefore = 0;
  /** Whether the hub has refused more than matchers, so that it is of no use to ask again. */
  #hasGivenUp = false;
  #isSuspended = false;

  constructor(options: ConnectionOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#backoff = createBackoff(options.backoff);
    this.#covered = options.start?.covered ?? new Set();
    this.cursor = options.start?.cursor ?? '';
  }

  /** Whether it delivers all messages of this matcher. */
  isCovering(matcher: Matcher): boolean {
    return this.#covered.has(matcher);
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
    if (this.#next && performance.now() - this.#next.askedAt > HANGING) this.#drop(this.#next);
    if (!this.#current || this.#current.isSuspect) this.#dial();
  }

  offline(): void {
    if (this.#isStopped || this.#state === 'idle') return;
    if (this.#current) this.#current.isSuspect = true;
    this.#enter('offline');
  }

  /** Somebody else reads from now on: no stream that was opened for the other one is used any more. */
  renew(): void {
    if (this.#state === 'closed') return;
    this.#letGo();
    this.#covered = new Set(this.#covered);
    this.#reason = 'initial';
    this.#forgive();
    if (!this.#isSuspended) this.#dial();
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
    else if (this.#state === 'idle') this.#dialSoon();
  }

  #adjust(current: Leg): void {
    if (this.#asking.isMissing(current.matchers)) this.#dialSoon();
    else if (this.#asking.hasSurplus(current.matchers)) this.#closing = setTimeout(() => this.#dial(), LINGER + 1);
  }

  /** Closes everything, as there are no matchers. Nobody misses what is published now, so the cursor is dropped. */
  #rest(): void {
    this.#letGo();
    this.cursor = '';
    this.#cover(new Set());
    this.#enter('idle');
  }

  /** Dials when the changes of now have been made. A long series of changes makes a few streams, not one for each. */
  #dialSoon(): void {
    if (this.#isGathering) return;
    const isSeries = performance.now() - this.#askedAt < SERIES;
    this.#gather = isSeries ? Math.min(GATHER.most, this.#gather * 2) : GATHER.least;
    this.#dialAfter(this.#gather);
    this.#isGathering = true;
  }

  #dialAfter(delay: number): void {
    clearTimeout(this.#timer);
    this.#isGathering = false;
    this.#timer = setTimeout(() => this.#dial(), delay);
  }

  /** Opens a stream for what is wanted now, unless there is one. */
  #dial(): void {
    clearTimeout(this.#timer);
    this.#isGathering = false;
    // When the stream that was asked for has opened or failed, what is wanted by then is looked at again.
    if (this.#isStopped || this.#next) return;
    const now = performance.now();
    const matchers = this.#toAsk();
    if (!this.#isWanted || matchers.length === 0 || this.#isGoodFor(matchers)) return;
    const leg: Leg = { matchers: new Set(matchers), askedAt: now, goodAt: Infinity, repeats: new Repeats() };
    this.#next = leg;
    this.#askedAt = now;
    if (!this.#current) this.#enter('connecting');
    const { settings, transport = fetchStream, parameters } = this.#options;
    const query = [positionOf(this.cursor), 'with=notices&with=topics', parameters, ...matchers];
    const request = {
      query: query.filter(Boolean).join('&'),
      isResuming: this.cursor !== '',
      reason: this.#reason,
    };
    settings.debug(`asks for ${matchers.length} matchers, ${this.cursor ? `after ${this.cursor}` : 'from now on'}`);
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
    return this.#options.settings.limits.take(matchers) ? matchers : this.#asking.next(now + LINGER);
  }

  /** Whether the current stream was asked for exactly these matchers, and is not in doubt. */
  #isGoodFor(matchers: readonly Matcher[]): boolean {
    const current = this.#current;
    if (!current || current.isSuspect) return false;
    return current.matchers.size === matchers.length && matchers.every((one) => current.matchers.has(one));
  }

  #opened(leg: Leg, head: StreamHead): void {
    this.#current?.stream?.close();
    this.#current = leg;
    this.#next = undefined;
    leg.goodAt = performance.now() + GOOD_AGE;
    leg.isReplaying = head.isReplaying;
    this.#reason = 'reconnect';
    this.#asking.taken(leg.matchers);
    if (leg.repeats.size === 0) this.cursor = head.cursor || this.cursor;
    this.#options.settings.debug(`reads ${leg.matchers.size} matchers`);
    // Until the stream has caught up, only matchers that were covered before are sure to miss nothing.
    this.#cover(leg.isReplaying ? new Set([...leg.matchers].filter((one) => this.#covered.has(one))) : leg.matchers);
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
    this.#listener.error(new HeraldError('too-large', 'An event of the stream was too large to be held: it is left out.'));
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
      this.#listener.crowded();
      this.#dial();
    } else if (code === 'refused' && isOfMatchers(problem?.code)) {
      this.#judge(leg, end);
    } else this.#end(leg, end);
  }

  /** The stream is refused because of what it asks for, and not because of who asks. */
  #judge(leg: Leg, end: StreamEnd): void {
    const asked = [...leg.matchers];
    const { limits } = this.#options.settings;
    const { code = '', limit } = end.problem ?? {};
    if (limit) {
      limits.learn(asked, limit);
      this.#listener.crowded();
    }
    const isSettled = limit && !limits.take(asked) && limits.take(this.#toAsk());
    if (!isSettled) {
      const error = toError(end);
      const verdict = this.#asking.refused(asked, TOO_MUCH.has(code), error);
      if (verdict.kind === 'refused') this.#listener.refused(verdict.matcher, error);
      else if (verdict.kind === 'full') this.#listener.full(verdict.matcher, error);
    }
    // Nothing is left that the hub takes.
    if (!this.#current && this.#asking.isEmpty) this.#enter('idle');
    this.#dial();
  }

  #end(leg: Leg, end: StreamEnd): void {
    const { code, problem } = end;
    const error = code && toError(end);
    if (error) this.#listener.error(error);
    this.#options.settings.debug(error?.message ?? 'the stream has ended in order');
    const isFinal = FINAL.has(code) && (problem?.code !== undefined || code === 'stopped' || code === 'misused');
    // The next stream has already been requested.
    if (this.#next) this.#enter('connecting');
    else if (!isFinal) this.#comeBack(leg, end.retryAfter);
    // If the hub refuses the stream that was to replace a good one, the good one goes on.
    else if (!this.#current) this.#giveUp();
  }

  #giveUp(): void {
    this.#hasGivenUp = true;
    this.#enter('failed');
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
    this.#dialAfter(wasGood && this.#reason === 'expired' ? 0 : backoff.next(retryAfter));
  }

  #drop(leg: Leg): void {
    leg.stream?.close();
    if (this.#next === leg) this.#next = undefined;
  }

  #letGo(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#closing);
    this.#isGathering = false;
    this.#current?.stream?.close();
    this.#next?.stream?.close();
    this.#current = undefined;
    this.#next = undefined;
  }

  #cover(matchers: ReadonlySet<Matcher>): void {
    this.#covered = matchers;
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

/** Whether a refusal with this code of the hub is for what was asked for. */
function isOfMatchers(code = ''): boolean {
  return code.startsWith('matcher') || TOO_MUCH.has(code);
}

function toError({ code = 'unreachable', ...details }: StreamEnd): HeraldError {
  return new HeraldError(code, explain(code, details), details);
}

/** The notice in `data`; undefined if it has not the form that this version knows. */
function toNotice(data: string): Notice | undefined {
  try {
    const notice = JSON.parse(data) as Partial<Notice> | null;
    return typeof notice?.type === 'string' ? (notice as Notice) : undefined;
  } catch {
    return undefined;
  }
}
