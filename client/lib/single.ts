import { Connection } from './connection.js';
import { LOAD_AGAIN, notLoaded } from './loading.js';
import type { Streams, StreamsOptions } from './streams.js';
import { type Bundle, FIRST, type Source, type SourceListener } from './wire.js';

/**
 * One stream for all matchers, which is enough for most pages. Where the hub does not take them all on one, `Streams`
 * take over; their code is loaded only then.
 */
export class Single implements Source {
  readonly #options: StreamsOptions;
  readonly #listener: SourceListener;
  readonly #connection: Connection;
  /** Set once one stream is not enough. */
  #streams: Streams | undefined;
  #wanted: readonly Bundle[] = [];
  #isSuspended = false;
  #isClosed = false;
  #isHandingOver = false;

  constructor(options: StreamsOptions, listener: SourceListener) {
    this.#options = options;
    this.#listener = listener;
    const { starts } = options;
    const refused: SourceListener['refused'] = (matcher, error) => listener.refused(matcher, error);
    this.#connection = new Connection(
      { ...options, start: starts?.get(FIRST) },
      {
        message: (message) => listener.message(message, FIRST),
        notice: (notice) => listener.notice(notice, FIRST),
        covers: (matchers) => listener.covers(FIRST, matchers),
        refused,
        full: refused,
        crowded: () => this.#handOver(),
        state: (state) => this.#isHandingOver || listener.state(state),
        error: (error) => listener.error(error),
      },
    );
    // The tab that it takes over from had others.
    if ([...(starts?.keys() ?? [])].some((name) => name !== FIRST)) this.#handOver();
  }

  cursorOf(stream: string): string {
    return this.#streams?.cursorOf(stream) ?? (stream === FIRST ? this.#connection.cursor : '');
  }

  want(bundles: readonly Bundle[]): void {
    this.#wanted = bundles;
    if (this.#streams) this.#streams.want(bundles);
    else this.#connection.want([...new Set(bundles.flat())]);
  }

  hurry(evenIfFailed?: boolean): void {
    (this.#streams ?? this.#connection).hurry(evenIfFailed);
  }

  offline(): void {
    (this.#streams ?? this.#connection).offline();
  }

  suspend(): void {
    this.#isSuspended = true;
    (this.#streams ?? this.#connection).suspend();
  }

  resume(): void {
    this.#isSuspended = false;
    if (!this.#isHandingOver) (this.#streams ?? this.#connection).resume();
  }

  close(): void {
    this.#isClosed = true;
    (this.#streams ?? this.#connection).close();
  }

  /** The connection rests until the others have taken over where it was. */
  #handOver(): boolean {
    if (this.#isHandingOver) return true;
    this.#isHandingOver = true;
    this.#connection.suspend();
    void this.#open();
    return true;
  }

  async #open(): Promise<void> {
    try {
      const { Streams: Several } = await import('./streams.js');
      if (this.#isClosed) return;
      // Its last state is nobody's.
      this.#connection.close();
      this.#isHandingOver = false;
      const starts = new Map(this.#options.starts).set(FIRST, this.#connection);
      this.#streams = new Several({ ...this.#options, starts }, this.#listener);
      if (this.#isSuspended) this.#streams.suspend();
      this.#streams.want(this.#wanted);
    } catch (cause) {
      this.#listener.error(notLoaded('streams.js', cause));
      // It does not go on alone: the other streams that it takes over would never be told of as gone.
      setTimeout(() => void this.#open(), LOAD_AGAIN);
    }
  }
}
