/**
 * `open` carries the milliseconds since the stream was lost (0 the first time). In `reconnecting` the browser
 * reconnects by itself; in `waiting` `EventStream` does, at `until` on the clock of `performance.now()`.
 */
export type StreamState =
  | { readonly name: 'closed' }
  | { readonly name: 'connecting'; readonly again: boolean }
  | { readonly name: 'open'; readonly away: number }
  | { readonly name: 'reconnecting'; readonly since: number }
  | { readonly name: 'waiting'; readonly until: number }
  | { readonly name: 'failed' };

/** What to listen for, and whom to tell. */
export interface StreamOptions {
  /** The events to listen for, by their `event:` field; `message` are those without one. */
  readonly types: readonly string[];
  readonly onState: (state: StreamState) => void;
  readonly onEvent: (event: MessageEvent<string>) => void;
  /** Replaced in tests. */
  readonly connect?: (url: string) => EventSource;
  readonly random?: () => number;
}

/** Milliseconds that an attempt may take. */
const CONNECT_TIMEOUT = 20_000;
const SHORTEST_DELAY = 500;
const LONGEST_DELAY = 30_000;
/** Refusals in a row (an answer, but no stream) after which only a person, or a change of the network, tries again. */
const MAX_REFUSALS = 20;
/** `setTimeout` fires at once for a longer delay. */
const LONGEST_TIMER = 2 ** 31 - 1;

// `EventSource.CONNECTING` and `EventSource.OPEN`, for where the class itself is missing.
const CONNECTING = 0;
const OPEN = 1;

/**
 * An `EventSource` that keeps coming back. When an open stream ends, the browser reconnects by itself, after the delay
 * that the server chose (`retry:`). It has no backoff, though, and gives up for good on any answer that is not a stream
 * (HTML Standard, section 9.2.3). So if the browser's first attempt fails as well, this class takes over.
 */
export class EventStream {
  /** Milliseconds without an event after which an open stream counts as lost, whatever the browser believes. */
  silenceLimit = Infinity;
  private current: StreamState = { name: 'closed' };
  private source: EventSource | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lostAt: number | undefined;
  private failures = 0;
  private refusals = 0;

  constructor(
    private readonly url: string,
    private readonly options: StreamOptions,
  ) {}

  get state(): StreamState {
    return this.current;
  }

  /** Connects at once, unless the stream is open. */
  retryNow(): void {
    if (this.state.name === 'open') return;
    this.refusals = 0;
    this.connect();
  }

  /** Closes the connection until `retryNow()`. */
  close(): void {
    this.letGo();
    this.enter({ name: 'closed' });
  }

  private connect(): void {
    this.letGo();
    this.enter({ name: 'connecting', again: this.failures > 0 });
    const source = this.options.connect?.(this.url) ?? new EventSource(this.url);
    this.source = source;
    source.addEventListener('open', () => this.opened());
    source.addEventListener('error', () => this.broken(source.readyState));
    for (const type of this.options.types) {
      source.addEventListener(type, (event: MessageEvent<string>) => this.received(event));
    }
    this.after(CONNECT_TIMEOUT, () => this.backOff());
  }

  private opened(): void {
    const away = this.lostAt === undefined ? 0 : performance.now() - this.lostAt;
    this.enter({ name: 'open', away });
    this.watch();
  }

  private received(event: MessageEvent<string>): void {
    // Reset here and not in `opened`, because a server may accept a stream and end it before it has sent anything.
    this.failures = 0;
    this.refusals = 0;
    this.lostAt = undefined;
    this.watch();
    this.options.onEvent(event);
  }

  private broken(readyState: number): void {
    // An event that the server named `error`, not a failure of the connection.
    if (readyState === OPEN) return;
    const wasOpen = this.state.name === 'open';
    if (readyState === CONNECTING && wasOpen) {
      this.noteLoss();
      clearTimeout(this.timer);
      this.enter({ name: 'reconnecting', since: performance.now() });
      return;
    }
    if (readyState !== CONNECTING) this.refusals += 1;
    this.backOff();
  }

  /** Waits for a random part of a time that doubles with every failure, so that clients do not come back in step. */
  private backOff(): void {
    this.letGo();
    if (this.refusals >= MAX_REFUSALS) {
      this.enter({ name: 'failed' });
      return;
    }
    const random = this.options.random ?? Math.random;
    const longest = Math.min(LONGEST_DELAY, 1_000 * 2 ** this.failures);
    const delay = Math.max(SHORTEST_DELAY, random() * longest);
    this.failures += 1;
    this.enter({ name: 'waiting', until: performance.now() + delay });
    this.after(delay, () => this.connect());
  }

  private watch(): void {
    this.after(this.silenceLimit, () => this.backOff());
  }

  private after(delay: number, act: () => void): void {
    clearTimeout(this.timer);
    if (delay <= LONGEST_TIMER) this.timer = setTimeout(act, delay);
  }

  private letGo(): void {
    this.noteLoss();
    clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
  }

  private noteLoss(): void {
    if (this.state.name === 'open') this.lostAt ??= performance.now();
  }

  private enter(state: StreamState): void {
    this.current = state;
    this.options.onState(state);
  }
}
