/** Ids that are remembered. Where streams overlap, they never do so by more than half of this. */
export const REMEMBERED_IDS = 2_048;

/** The ids of the last messages, so that none is delivered twice where one stream takes over from another. */
export class SeenIds {
  readonly #ids = new Set<string | undefined>();

  has(id: string | undefined): boolean {
    return this.#ids.has(id);
  }

  /** Answers whether `id` is new. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (this.#ids.size > REMEMBERED_IDS) this.#ids.delete(oldest);
    return true;
  }
}
