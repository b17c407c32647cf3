import type { HeraldClientOptions } from './api.js';
import { type Backoff, createBackoff } from './backoff.js';
import { HeraldError, type HeraldErrorCode } from './errors.js';
import type { ParsedEvent } from './event-parser.js';
import { fetchStream } from './fetch-stream.js';
import type { Matcher } from './matcher.js';
import { REMEMBERED_IDS } from './seen-ids.js';
import type { Stream, StreamEnd, StreamHead, StreamRequest, StreamSettings } from './stream.js';
import type { ConnectionState, Notice, Source, SourceListener, Start } from './wire.js';

export interface ConnectionOptions extends Pick<HeraldClientOptions, 'backoff' | 'closeDelay' | 'transport'> {
  readonly settings: StreamSettings;
  /** Default: from now on. */
  readonly start: Start | undefined;
}

/** Milliseconds for which changes are gathered before a stream is asked for. */
const GATHER = 10;

/** Milliseconds to keep a connection that nobody wants any more. */
const CLOSE_DELAY = 2_000;

/** Milliseconds after which a stream that carried nothing counts as a good one. */
const GOOD_AGE = 30_000;

/** After these there is no use in coming back. */
const FINAL = new Set<HeraldErrorCode | undefined>(['unauthorized', 'refused', 'stopped', 'misused']);

/** One stream with what is known of it. */
interface Leg {
  stream?: Stream;
  /** What it was asked for. */
  readonly matchers: ReadonlySet<Matcher>;
  /** When it counts as a good one, on the clock of `performance.now()`. */
  goodAt: number;
  isReplaying?: boolean;
}

/**
 * Keeps one stream with the hub for as long as somebody wants something: it comes back after every end, resumes where it
 * was, and changes what it carries without loss (a second stream is open before the first is closed).
 */
export class Connection implements Source {
  cursor: string;
  readonly #options: ConnectionOptions;
  readonly #listener: SourceListener;
  readonly #backoff: Backoff;
  #wanted: readonly Matcher[] = [];
  #covered: ReadonlySet<string>;
  #current: Leg | undefined;
  /** The stream that is to become the current one, once the hub has answered. */
  #next: Leg | undefined;
  /** Until the next attempt, or the next change of what the stream carries. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Until a connection that nobody wants is closed. */
  #closing: ReturnType<typeof setTimeout> | undefined;
  #state: ConnectionState = 'idle';
  #reason: StreamRequest['reason'] = 'initial';
  /** Messages of the current stream since the next one was asked for: it will bring them again. */
  #overlap = 0;
  #isSuspended = false;

  constructor(options: ConnectionOptions, listener: SourceListener) {
    this.#options = options;
    this.#listener = listener;
    this.#backoff = createBackoff(options.backoff);
    this.#covered = options.start?.covered ?? new Set();
    this.cursor = options.start?.cursor ?? '';
  }

  want(matchers: readonly Matcher[]): void {
    this.#wanted = matchers;
    if (this.#isStopped) return;
    clearTimeout(this.#closing);
    if (matchers.length === 0) this.#closing = setTimeout(() => this.#rest(), this.#options.closeDelay ?? CLOSE_DELAY);
    else if (this.#current || this.#state === 'idle') this.#dialAfter(GATHER);
  }

  hurry(evenIfFailed?: boolean): void {
    if (this.#isSuspended) return;
    this.#current?.stream?.look();
    if (this.#state === 'failed' && evenIfFailed) this.#enter('waiting');
    if (!this.#current && !this.#next) this.#dial();
  }

  suspend(): void {
    this.#isSuspended = true;
    if (this.#current || this.#next) this.#enter('waiting');
    this.#letGo();
  }

  resume(): void {
    if (!this.#isSuspended) return;
    this.#isSuspended = false;
    if (this.#state === 'waiting') this.#enter('idle');
    this.want(this.#wanted);
  }

  close(): void {
    this.#letGo();
    this.#enter('closed');
  }

  get #isStopped(): boolean {
    return this.#isSuspended || this.#state === 'failed' || this.#state === 'closed';
  }

  /** Nobody wants anything: what is published from now on is nobody's loss. */
  #rest(): void {
    this.#letGo();
    this.cursor = '';
    this.#cover(new Set());
    this.#enter('idle');
  }

  #dialAfter(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#dial(), delay);
  }

  /** Opens a stream for what is wanted now, unless there is one. */
  #dial(): void {
    clearTimeout(this.#timer);
    const wanted = this.#wanted;
    if (this.#isStopped || wanted.length === 0 || carries(this.#next, wanted)) return;
    this.#next?.stream?.close();
    this.#next = undefined;
    if (carries(this.#current, wanted)) return;
    const leg: Leg = { matchers: new Set(wanted), goodAt: Infinity };
    this.#next = leg;
    this.#overlap = 0;
    if (!this.#current) this.#enter('connecting');
    const { cursor } = this;
    // In the query and not in a header, for which a browser would have to ask other origins first.
    const position = cursor.startsWith('#') ? `last=${cursor.slice(1)}` : `last_event_id=${encodeURIComponent(cursor)}`;
    const query = [...wanted, position, 'with=topics'].join('&');
    const request = { query, isResuming: cursor !== '', reason: this.#reason };
    const { settings, transport = fetchStream } = this.#options;
    leg.stream = transport(settings, request, {
      opened: (head) => this.#opened(leg, head),
      event: (event) => this.#take(leg, event),
      moved: (id) => {
        if (leg === this.#current) this.cursor = id;
      },
      retry: (milliseconds) => this.#backoff.setFloor(milliseconds),
      over: (end) => this.#over(leg, end),
    });
  }

  #opened(leg: Leg, head: StreamHead): void {
    this.#current?.stream?.close();
    this.#current = leg;
    this.#next = undefined;
    leg.goodAt = performance.now() + GOOD_AGE;
    leg.isReplaying = head.isReplaying;
    this.#reason = 'reconnect';
    this.cursor = head.cursor || this.cursor;
    // Until it has caught up, only those that it takes over are sure to miss nothing.
    this.#cover(leg.isReplaying ? new Set([...leg.matchers].filter((one) => this.#covered.has(one))) : leg.matchers);
    this.#enter('open');
    // What is wanted may have changed since this stream was asked for.
    this.want(this.#wanted);
  }

  #take(leg: Leg, event: ParsedEvent): void {
    // The rest of what came in one piece with something that made somebody close it.
    if (leg !== this.#current) return;
    if (event.type === 'herald') {
      this.#heed(leg, event.data);
      return;
    }
    leg.goodAt = 0;
    this.#listener.message({ ...event, replayed: Boolean(leg.isReplaying) });
    if (!this.#next) return;
    this.#overlap += 1;
    // More could not be told apart from what the next stream brings: that one brings the rest.
    if (this.#overlap < REMEMBERED_IDS / 2) return;
    leg.stream?.close();
    this.#current = undefined;
  }

  #heed(leg: Leg, data: string): void {
    const notice = toNotice(data);
    if (!notice) return;
    if (notice.type === 'caught-up') {
      leg.isReplaying = false;
      this.#cover(leg.matchers);
    }
    if (notice.type === 'expired') this.#reason = notice.type;
    // It says nothing but where the stream is, which its id has said already.
    if (notice.type === 'cursor') this.#listener.moved();
    else this.#listener.notice(notice);
  }

  #over(leg: Leg, end: StreamEnd): void {
    const { code } = end;
    if (leg === this.#current) this.#current = undefined;
    else this.#next = undefined;
    if (code === 'unauthorized' && this.#options.settings.token && this.#reason !== code) {
      this.#reason = code;
      this.#dial();
      return;
    }
    if (code) this.#listener.error(new HeraldError(code, `No stream: ${code} ${end.status ?? ''}`, end));
    // The stream that is to take over is on its way.
    if (this.#next) this.#enter('connecting');
    else if (!FINAL.has(code)) this.#comeBack(leg, end.retryAfter);
    // One that was to replace a good one, and that the hub does not want: the good one goes on.
    else if (!this.#current) this.#enter('failed');
  }

  #comeBack(leg: Leg, retryAfter: number | undefined): void {
    const backoff = this.#backoff;
    const wasGood = performance.now() > leg.goodAt;
    if (wasGood) backoff.reset();
    // Node 20 knows no `navigator`.
    const { navigator } = globalThis as { readonly navigator?: { readonly onLine?: boolean } };
    if (!this.#current) this.#enter(navigator?.onLine === false ? 'offline' : 'waiting');
    // A good stream that has only outlived its token is missed at once.
    this.#dialAfter(wasGood && this.#reason === 'expired' ? 0 : backoff.next(retryAfter));
  }

  #letGo(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#closing);
    this.#current?.stream?.close();
    this.#next?.stream?.close();
    this.#current = undefined;
    this.#next = undefined;
  }

  #cover(matchers: ReadonlySet<string>): void {
    this.#covered = matchers;
    this.#listener.covers(matchers);
  }

  #enter(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#listener.state(state);
  }
}

/** What the hub said, or nothing when it is not of the form that this version knows. */
function toNotice(data: string): Notice | undefined {
  try {
    const notice = JSON.parse(data) as Partial<Notice> | null;
    return typeof notice?.type === 'string' ? (notice as Notice) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether that stream was asked for exactly these. */
function carries(leg: Leg | undefined, wanted: readonly Matcher[]): boolean {
  return leg?.matchers.size === wanted.length && wanted.every((one) => leg.matchers.has(one));
}
