/** How many faults are spelt out. */
const SHOWN = 20;

/** What readers and publishers have been through, by name. */
export class Tally {
  readonly counts: Record<string, number> = {};
  /** What the hub must never do, the first of them in words. */
  readonly faults: string[] = [];
  faultCount = 0;

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  fault(what: string): void {
    this.faultCount += 1;
    if (this.faults.length < SHOWN) this.faults.push(what);
  }
}
