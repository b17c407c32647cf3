import type { HeraldClientOptions } from '../api.js';
import { type Backoff, createBackoff } from '../backoff.js';
import { HeraldError } from '../errors.js';
import type { LazyTokens } from '../lazy-tokens.js';
import type { Bundle, Source, SourceListener } from '../wire.js';
import { Gate } from './gate.js';
import { type Reader, readerOf } from './reader.js';

export interface RegroupingOptions {
  readonly client: HeraldClientOptions;
  readonly tokens: LazyTokens;
  /**
   * Opens a share of the connection of all tabs of this reader. It throws where sharing does not work, and calls
   * `onBroken` when that shows later.
   */
  readonly openShare: (reader: Reader, listener: SourceListener, onBroken: (cause: unknown) => void) => Source;
  /** Opens a connection of this tab's own. */
  readonly openOwn: (listener: SourceListener) => Source;
  /** Called before anything is asked for this reader; undefined where it is unknown who reads. */
  readonly onReader: (reader: Reader | undefined) => void;
  /** Called at most once: this tab does not share from now on. */
  readonly onUnavailable: (cause: unknown) => void;
}

/** Milliseconds that a token may take before it is asked for anew. */
const PATIENCE = 20_000;

/**
 * A share of the connection of this tab's group, which is all tabs whose tokens are of one person and grant the same.
 * Each token is looked at before it is used: when it is of another group, this tab leaves the old group first, so that
 * nothing which came with one group's token goes to another's tabs. What was live then catches up from where it was.
 */
export class Regrouping implements Source {
  readonly #options: RegroupingOptions;
  readonly #listener: SourceListener;
  readonly #backoff: Backoff;
  #source: Source | undefined;
  /** Between the source and the listener. */
  #gate: Gate;
  /** The group's name: undefined before the first token, and empty for a tab that shares with nobody. */
  #group: string | undefined;
  #reader: Reader | undefined;
  /** Where the streams of the last source were when it was left. */
  readonly #reached = new Map<string, string>();
  #wanted: readonly Bundle[] = [];
  /** The era of the tokens that the source was opened in. */
  #era: unknown;
  /** Set while the token is awaited that says who reads. */
  #search: AbortController | undefined;
  /** Waits before it is asked for again. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #canShare = true;
  #isSuspended = false;
  #isClosed = false;

  constructor(options: RegroupingOptions, listener: SourceListener) {
    this.#options = options;
    this.#listener = listener;
    this.#gate = new Gate(listener);
    this.#backoff = createBackoff(options.client.backoff);
    options.tokens.watch((token) => this.#admit(token));
    void this.#identify();
  }

  cursorOf(stream: string): string {
    return this.#source ? this.#source.cursorOf(stream) : (this.#reached.get(stream) ?? '');
  }

  want(bundles: readonly Bundle[]): void {
    this.#wanted = bundles;
    this.#source?.want(bundles);
  }

  offline(): void {
    this.#source?.offline();
  }

  hurry(evenIfFailed?: boolean): void {
    if (this.#timer === undefined) this.#source?.hurry(evenIfFailed);
    else void this.#identify();
  }

  suspend(): void {
    this.#isSuspended = true;
    this.#endSearch();
    this.#source?.suspend();
  }

  resume(): void {
    if (!this.#isSuspended || this.#isClosed) return;
    this.#isSuspended = false;
    // Other tokens were set meanwhile: perhaps those of another person.
    if (this.#era !== this.#options.tokens.era) this.#leave();
    if (this.#source) this.#source.resume();
    else void this.#identify();
  }

  close(): void {
    this.#isClosed = true;
    this.#endSearch();
    this.#leave();
    this.#listener.state('closed');
  }

  /** Asks for a token to see who reads, and again for as long as there is none to be had. */
  async #identify(): Promise<void> {
    this.#endSearch();
    const search = new AbortController();
    this.#search = search;
    const timer = setTimeout(() => search.abort(), PATIENCE);
    this.#listener.state('connecting');
    try {
      await this.#options.tokens.look(search.signal);
    } catch (cause) {
      if (this.#search === search) this.#comeBack(cause);
    }
    clearTimeout(timer);
  }

  #comeBack(cause: unknown): void {
    this.#listener.error(new HeraldError('token-failed', 'There is no token: see `cause`.', { cause }));
    this.#listener.state('waiting');
    this.#timer = setTimeout(() => void this.#identify(), this.#backoff.next());
  }

  #endSearch(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const search = this.#search;
    this.#search = undefined;
    search?.abort();
  }

  /** Joins the group of the token, before anything is asked with it. */
  async #admit(token: string | undefined): Promise<void> {
    const { client, tokens, onReader } = this.#options;
    const { era } = tokens;
    const reader = await readerOf(token, client);
    if (this.#isClosed || era !== tokens.era) return;
    const group = reader?.group ?? '';
    if (group !== this.#group) {
      this.#leave();
      this.#group = group;
      this.#reader = reader;
      onReader(reader);
    }
    this.#open();
  }

  #open(): void {
    if (this.#source || this.#isSuspended) return;
    this.#era = this.#options.tokens.era;
    this.#backoff.reset();
    if (this.#wanted.length === 0) this.#listener.state('idle');
    this.#gate = new Gate(this.#listener);
    this.#source = this.#reader && this.#canShare ? this.#share(this.#reader) : this.#options.openOwn(this.#gate);
    this.#source.want(this.#wanted);
  }

  #share(reader: Reader): Source {
    const { openShare, openOwn } = this.#options;
    const gate = this.#gate;
    const onBroken = (cause: unknown): void => {
      if (gate.isShut) return;
      this.#stopSharing(cause);
      this.#leave();
      this.#open();
    };
    try {
      return openShare(reader, gate, onBroken);
    } catch (cause) {
      this.#stopSharing(cause);
      return openOwn(gate);
    }
  }

  #stopSharing(cause: unknown): void {
    this.#canShare = false;
    this.#options.onUnavailable(cause);
  }

  /** Nothing that is still under way comes through. What was live resumes after what has come. */
  #leave(): void {
    const source = this.#source;
    if (!source) return;
    const { streams } = this.#gate;
    for (const stream of streams) this.#reached.set(stream, source.cursorOf(stream));
    this.#source = undefined;
    this.#gate.shut();
    source.close();
    this.#listener.state('connecting');
    for (const stream of streams) this.#listener.covers(stream, new Set());
  }
}
