import type { Filter } from './filter.js';
import type { LogEntry, MessageLog } from './message-log.js';

/** The entries of a log that a filter lets through, kept up to date at the cost of what is new. */
export class VisibleEntries {
  /** Messages after the place `after` that were let through, also those that the log has dropped since. */
  newer = 0;
  private readonly shown: LogEntry[] = [];
  /** Serials of older messages, which are put before the others, are below zero. */
  private seen = -Infinity;

  /** @param after the serial of the last entry that is not counted as newer. */
  constructor(
    private readonly log: MessageLog,
    private readonly filter: Filter | undefined,
    private readonly after = Infinity,
  ) {}

  /** @returns oldest first. The same array every time. */
  update(): readonly LogEntry[] {
    const { entries } = this.log;
    this.forgetDropped(entries[0]?.serial ?? Infinity);
    for (let index = firstAfter(entries, this.seen); index < entries.length; index += 1) {
      const entry = entries[index];
      if (!entry) continue;
      this.seen = entry.serial;
      if (this.filter?.(entry) === false) continue;
      if (entry.kind === 'message' && entry.serial > this.after) this.newer += 1;
      if (this.filter) this.shown.push(entry);
    }
    return this.filter ? this.shown : entries;
  }

  private forgetDropped(oldest: number): void {
    const gone = this.shown.findIndex(({ serial }) => serial >= oldest);
    if (gone !== 0) this.shown.splice(0, gone === -1 ? this.shown.length : gone);
  }
}

/** The place of the first entry with a higher serial. */
export function firstAfter(entries: readonly LogEntry[], serial: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.serial ?? 0) > serial) high = middle;
    else low = middle + 1;
  }
  return low;
}
