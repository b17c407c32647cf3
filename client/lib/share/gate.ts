import type { HeraldError } from '../errors.js';
import type { ConnectionState, Notice, SourceListener, WireMessage } from '../wire.js';

/** Lets through what a source tells, until it is shut: whatever is under way then comes to nothing. */
export class Gate implements SourceListener {
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

  message(message: WireMessage): void {
    this.#listener?.message(message);
  }

  notice(notice: Notice): void {
    this.#listener?.notice(notice);
  }

  covers(matchers: ReadonlySet<string>): void {
    this.#listener?.covers(matchers);
  }

  missed(lastEventId: string): void {
    this.#listener?.missed(lastEventId);
  }

  state(state: ConnectionState): void {
    this.#listener?.state(state);
  }

  error(error: HeraldError): void {
    this.#listener?.error(error);
  }
}
