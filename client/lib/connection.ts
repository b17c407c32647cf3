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

/** Milliseconds after which a stream that carried no message counts as good, which resets the backoff. */
const GOOD_AGE = 30_000;

/** Errors after which it is of no use to reconnect. */
const FINAL = new Set<HeraldErrorCode | undefined>(['unauthorized', 'refused', 'stopped', 'misused']);

/** One stream and its state. */
interface Leg {
  stream?: Stream;
  /** The matchers that the stream was asked for. */
  readonly matchers: ReadonlySet<Matcher>;
  /** From when on the stream counts as good, on the clock of `performance.now()`. */
  goodAt: number;
  isReplaying?: boolean;
}

/**
 * Keeps one stream with the hub for as long as there are matchers: it reconnects after every end, resumes where it was,
 * and changes what it carries without loss (a second stream is open before the first is closed).
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
  /** Waits for the next attempt, or for further changes of the matchers. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Waits before closing a connection that nobody wants any more. */
  #closing: ReturnType<typeof setTimeout> | undefined;
  #state: ConnectionState = 'idle';
  #reason: StreamRequest['reason'] = 'initial';
  /** How many messages the current stream has brought since the next one was requested, which brings them again. */
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

  /** Closes everything, as there are no matchers. Nobody misses what is published now, so the cursor is dropped. */
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
    // The position is in the query, because a header would cost a CORS preflight at other origins.
    const position = cursor.startsWith('#') ? `last=${cursor.slice(1)}` : `last_event_id=${encodeURIComponent(cursor)}`;
    const query = [position, 'with=notices&with=topics', ...wanted].join('&');
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
    // Until the stream has caught up, only matchers that were covered before are sure to miss nothing.
    this.#cover(leg.isReplaying ? new Set([...leg.matchers].filter((one) => this.#covered.has(one))) : leg.matchers);
    this.#enter('open');
    // What is wanted may have changed since this stream was asked for.
    this.want(this.#wanted);
  }

  #take(leg: Leg, event: ParsedEvent): void {
    // The handling of an earlier event of the same chunk has closed the stream.
    if (leg !== this.#current) return;
    if (event.type === 'herald') {
      this.#heed(leg, event.data);
      return;
    }
    leg.goodAt = 0;
    this.#listener.message({ ...event, replayed: Boolean(leg.isReplaying) });
    if (!this.#next) return;
    this.#overlap += 1;
    // `SeenIds` could not recognise more duplicates, so this stream ends here, and the next one brings the rest.
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
    this.#listener.notice(notice);
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
    // The next stream has already been requested.
    if (this.#next) this.#enter('connecting');
    else if (!FINAL.has(code)) this.#comeBack(leg, end.retryAfter);
    // If the hub refuses the stream that was to replace a good one, the good one goes on.
    else if (!this.#current) this.#enter('failed');
  }

  #comeBack(leg: Leg, retryAfter: number | undefined): void {
    const backoff = this.#backoff;
    const wasGood = performance.now() > leg.goodAt;
    if (wasGood) backoff.reset();
    // Node 20 knows no `navigator`.
    const { navigator } = globalThis as { readonly navigator?: { readonly onLine?: boolean } };
    if (!this.#current) this.#enter(navigator?.onLine === false ? 'offline' : 'waiting');
    // After a good stream that ended only because its token expired, the client reconnects without delay.
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

/** The notice in `data`; undefined if it has not the form that this version knows. */
function toNotice(data: string): Notice | undefined {
  try {
    const notice = JSON.parse(data) as Partial<Notice> | null;
    return typeof notice?.type === 'string' ? (notice as Notice) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the stream of `leg` was asked for exactly these matchers. */
function carries(leg: Leg | undefined, wanted: readonly Matcher[]): boolean {
  return leg?.matchers.size === wanted.length && wanted.every((one) => leg.matchers.has(one));
}
