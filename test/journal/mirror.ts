import { setTimeout as delay } from 'node:timers/promises';
import { isPresence, isWhole, type Journal } from '../../src/storage/journal/journal.js';
import type { TopicLookup } from '../../src/storage/journal/topics/topic-lookup.js';

/** What a process remembers of the updates that a journal gives it, and lets go of when it is told. */
export class Mirror {
  readonly resets: number[] = [];
  readonly removals: (readonly number[] | undefined)[] = [];
  private readonly ids = new Map<number, string>();

  constructor(private readonly journal: Journal) {
    journal.tail(
      0,
      (entries) => {
        for (const entry of entries) {
          if (!isPresence(entry) && isWhole(entry)) this.ids.set(entry.position, entry.update.id);
        }
      },
      (position) => {
        this.resets.push(position);
        for (const held of this.ids.keys()) if (held > position) this.ids.delete(held);
      },
    );
    journal.onRemoved((positions) => {
      this.removals.push(positions);
      if (!positions) void this.readAgain();
      for (const position of positions ?? []) this.ids.delete(position);
    });
  }

  /** The ids from a position on, in order. */
  from(oldest: number): string[] {
    const places = [...this.ids].filter(([position]) => position >= oldest);
    return places.toSorted(([one], [other]) => one - other).map(([, id]) => id);
  }

  private async readAgain(): Promise<void> {
    this.ids.clear();
    for (;;) {
      const reading = await this.journal.read(0, 1_000).catch(() => undefined);
      for (const entry of reading?.entries ?? []) {
        if (!isPresence(entry) && isWhole(entry)) this.ids.set(entry.position, entry.update.id);
      }
      if (reading) return;
      await delay(5);
    }
  }
}

/** The positions of the updates in the log with each of these topics, from a position on, as a scan finds them. */
export async function scan(
  journal: Journal,
  topics: readonly string[],
  from = 0,
): Promise<{ readonly byTopic: number[][]; readonly ids: string[]; readonly oldest: number }> {
  const updates: { readonly position: number; readonly id: string; readonly topics: readonly string[] }[] = [];
  let oldest = 1;
  for (let after = 0; ;) {
    const reading = await journal.read(after, 1_000);
    for (const entry of reading.entries) {
      if (!isPresence(entry) && isWhole(entry)) updates.push({ position: entry.position, ...entry.update });
    }
    ({ oldest } = reading);
    if (reading.entries.length === 0) break;
    after = reading.upTo;
  }
  const byTopic = topics.map((topic) =>
    updates
      .filter((update) => update.position >= from && update.topics.includes(topic))
      .map(({ position }) => position),
  );
  return { byTopic, ids: updates.map(({ id }) => id), oldest };
}

/** The same as the index finds them. */
export function lookUp(lookup: TopicLookup, topics: readonly string[]): number[][] {
  return topics.map((topic) => [...lookup.positionsAfter(topic, 0, 100_000)]);
}
