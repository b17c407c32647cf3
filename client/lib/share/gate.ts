import type { HeraldError } from '../errors.js';
import type { Matcher } from '../matcher.js';
import type { ConnectionState, Notice, SourceListener, WireMessage } from '../wire.js';

/** Lets through what a source tells, until it is shut: whatever is under way then comes to nothing. */
export class Gate implements SourceListener {
  /** The names of the streams that it has told of. */
  readonly streams = new Set<string>();
  #listener: SourceListener | undefined;

  constructor(listener: SourceListener) {
    this.#listener = listener;
  }

  get isShut(): boolean {
    return !this.#listener;
  }

  shut(): void {
    this.#listener = undefined;
  }

  message(message: WireMessage, stream: string): void {
    this.#listener?.message(message, stream);
  }

  notice(notice: Notice, stream: string): void {
    this.#listener?.notice(notice, stream);
  }

  covers(stream: string, matchers: ReadonlySet<Matcher>): void {
    if (matchers.size > 0) this.streams.add(stream);
    this.#listener?.covers(stream, matchers);
  }

  missed(stream: string, lastEventId: string): void {
    this.#listener?.missed(stream, lastEventId);
  }

  refused(matcher: Matcher, error: HeraldError): void {
    this.#listener?.refused(matcher, error);
  }

  state(state: ConnectionState): void {
    this.#listener?.state(state);
  }

  error(error: HeraldError): void {
    this.#listener?.error(error);
  }
}
