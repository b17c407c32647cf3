import type { Bundle } from '../wire.js';

/** Roll calls that a tab may leave without an answer. */
const PATIENCE = 2;

interface Member {
  readonly bundles: readonly Bundle[];
  silentFor: number;
}

/** The other tabs and their matchers. */
export class Members {
  readonly #members = new Map<string, Member>();

  want(tab: string, bundles: readonly Bundle[]): void {
    this.#members.set(tab, { bundles, silentFor: 0 });
  }

  remove(tab: string): void {
    this.#members.delete(tab);
  }

  /** Forgets tabs that are gone without saying so. A tab that was only frozen announces itself when it is back. */
  dropSilent(): void {
    for (const [tab, member] of this.#members) {
      member.silentFor += 1;
      if (member.silentFor > PATIENCE) this.#members.delete(tab);
    }
  }

  bundles(): Bundle[] {
    return [...this.#members.values()].flatMap(({ bundles }) => bundles);
  }
}
