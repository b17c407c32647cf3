/** The client library's waits: each is a random part of a time that doubles, up to the longest. Milliseconds. */
const FIRST = 500;
const LONGEST = 20_000;

/** Milliseconds that a stream has to last for the next wait to be short again. */
const GOOD_AGE = 30_000;

/** How long the client library waits at most before it asks again, as far as that can be told from outside. */
export class Patience {
  private failures = 0;
  private openedAt = 0;
  private hasRead = false;

  constructor(private readonly now: () => number = Date.now) {}

  opened(): void {
    this.openedAt = this.now();
    this.hasRead = false;
  }

  /** A message has come, which makes the stream a good one. */
  read(): void {
    this.hasRead = true;
  }

  /**
   * An attempt has failed, or a stream has ended.
   * @param least milliseconds that the hub has asked to wait.
   * @returns until when the client waits, in milliseconds since the epoch.
   */
  failed(least: number): number {
    if (this.hasRead || (this.openedAt > 0 && this.now() - this.openedAt > GOOD_AGE)) this.failures = 0;
    this.hasRead = false;
    this.openedAt = 0;
    const longest = Math.min(LONGEST, FIRST * 2 ** this.failures);
    this.failures += 1;
    return this.now() + least + longest;
  }
}
