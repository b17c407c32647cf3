/** Ids that are remembered. Two streams of a client overlap by half as many messages at most. */
export const REMEMBERED_IDS = 2_048;

/** The ids of the last messages, so that none is delivered twice where one stream takes over from another. */
export class SeenIds {
  readonly #ids = new Set<string | undefined>();

  has(id: string | undefined): boolean {
    return this.#ids.has(id);
  }

  /** Remembers `id`, and returns whether it is new. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > REMEMBERED_IDS) this.#ids.delete(oldest);
    return true;
  }
}
