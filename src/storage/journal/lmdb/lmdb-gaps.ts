import { firstIndex } from '../../../shared/first-index.js';
import type { TakenOut } from './lmdb-table.js';

interface Sum {
  readonly count: number;
  readonly cost: number;
}

/** The records of a table that were taken out: they count as nothing for retention, although their places stay. */
export class Gaps {
  private records: readonly TakenOut[] = [];
  /** What the records up to each one had cost. */
  private costs: readonly number[] = [];

  add(records: readonly TakenOut[]): void {
    if (records.length === 0) return;
    const all = new Map([...this.records, ...records].map((record) => [record.position, record]));
    this.set([...all.values()].toSorted((one, other) => one.position - other.position));
  }

  has(position: number): boolean {
    return this.records[this.indexOf(position)]?.position === position;
  }

  /** Forgets those before a position. */
  forget(before: number): void {
    if ((this.records[0]?.position ?? before) < before) this.set(this.records.slice(this.indexOf(before)));
  }

  clear(): void {
    this.set([]);
  }

  /** Those from a position on. */
  from(position: number): Sum {
    const index = this.indexOf(position);
    const cost = (this.costs.at(-1) ?? 0) - (this.costs[index - 1] ?? 0);
    return { count: this.records.length - index, cost };
  }

  private indexOf(position: number): number {
    return firstIndex(this.records.length, (index) => (this.records[index]?.position ?? 0) >= position);
  }

  private set(records: readonly TakenOut[]): void {
    let sum = 0;
    this.records = records;
    this.costs = records.map(({ cost }) => (sum += cost));
  }
}
