/** Counts of things that happened, by a name from a short list, since the process began. */
export class Tally<Name extends string> {
  private readonly counts = new Map<Name, number>();

  add(name: Name, times = 1): void {
    this.counts.set(name, this.of(name) + times);
  }

  of(name: Name): number {
    return this.counts.get(name) ?? 0;
  }

  /** Those that were counted since these counts were taken, and how often. */
  since(earlier: ReadonlyMap<string, number>): [Name, number][] {
    return [...this.counts].flatMap(([name, count]): [Name, number][] => {
      const more = count - (earlier.get(name) ?? 0);
      return more === 0 ? [] : [[name, more]];
    });
  }

  /** All that were ever counted. */
  entries(): Iterable<[Name, number]> {
    return this.counts.entries();
  }
}
