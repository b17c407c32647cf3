import { REMEMBERED, Repeats } from '../repeats.js';
import type { WireMessage } from '../wire.js';

/** A message of the last broadcasts. */
interface Recent {
  readonly stream: string;
  readonly id: string | undefined;
  /** The number of its broadcast. */
  readonly number: number;
}

/** What a new leader brings again of the broadcasts of the one before, because it had not got the last of them. */
export class Overlap {
  #recent: Recent[] = [];
  readonly #repeats = new Map<string, Repeats>();

  /** These were part of the broadcast with this number. */
  remember(messages: readonly WireMessage[], stream: string, number: number): void {
    for (const { id } of messages) this.#recent.push({ stream, id, number });
    if (this.#recent.length > REMEMBERED) this.#recent.splice(0, this.#recent.length - REMEMBERED / 2);
  }

  /** A new leader begins, which had got the broadcasts up to this number. */
  begin(after: number): void {
    this.#repeats.clear();
    for (const { stream, id, number } of this.#recent) {
      if (number <= after) continue;
      const repeats = this.#repeats.get(stream) ?? new Repeats();
      repeats.add(id);
      this.#repeats.set(stream, repeats);
    }
    this.#recent = [];
  }

  /** Whether messages of this stream are still to come again. */
  isOpen(stream: string): boolean {
    return (this.#repeats.get(stream)?.size ?? 0) > 0;
  }

  /** Whether this message comes again. */
  has(stream: string, id: string | undefined): boolean {
    return this.#repeats.get(stream)?.has(id) ?? false;
  }

  /** The stream has caught up, so nothing more comes again. */
  end(stream: string): void {
    this.#repeats.delete(stream);
  }
}
