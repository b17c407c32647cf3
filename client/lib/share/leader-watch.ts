/** Notices that the leader is silent for too long. */
export class LeaderWatch {
  readonly #patience: number;
  #lastHeard = performance.now();
  #hasAsked = false;

  /** @param patience milliseconds of silence after which it is asked for a sign of life, and then given as long again. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  heard(): void {
    this.#lastHeard = performance.now();
    this.#hasAsked = false;
  }

  /** What to do about its silence, if anything. */
  look(): 'ask' | 'seize' | undefined {
    if (performance.now() - this.#lastHeard < this.#patience) return undefined;
    const hasAsked = this.#hasAsked;
    if (hasAsked) this.heard();
    else this.awaitAnswer();
    return hasAsked ? 'seize' : 'ask';
  }

  /** Some tab has asked for a sign of life. The random part keeps tabs from seizing the lead together. */
  awaitAnswer(): void {
    this.#hasAsked = true;
    this.#lastHeard = performance.now() - this.#patience * Math.random() * 0.5;
  }
}
