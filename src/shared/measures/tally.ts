/** Counts of things that happened, by a name from a short list, since the process began. */
export class Tally<Name extends string> {
  private readonly counts = new Map<Name, number>();

  add(name: Name, times = 1): void {
    this.counts.set(name, this.of(name) + times);
  }

  of(name: Name): number {
    return this.counts.get(name) ?? 0;
  }

  /** All that were ever counted. */
  entries(): Iterable<[Name, number]> {
    return this.counts.entries();
  }
}
