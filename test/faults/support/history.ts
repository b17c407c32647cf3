import { expect } from '@jest/globals';

/** What one reader has seen, over however many connections, and what it was told in between. */
export interface Sighting {
  readonly reader: string;
  /** Ids in the order in which they came. */
  readonly seen: readonly string[];
  /** The types of the notices that tell of something lost, each with how much had been seen by then. */
  readonly breaks: readonly Break[];
}

export interface Break {
  readonly type: string;
  readonly after: number;
}

/** What was promised to publishers and what readers saw. */
export interface History {
  /** Ids whose publication was answered with 200, in the order of the answers. */
  readonly acknowledged: readonly string[];
  readonly sightings: readonly Sighting[];
  /** Everything that is held in the end, in order. */
  readonly order: readonly string[];
}

/**
 * Nothing acknowledged is lost, nothing is stored twice, each publisher's updates are in its order, and every reader has
 * seen all of it, once and in that order: readers begin with the earliest update.
 */
export function checkHistory({ acknowledged, sightings, order }: History): void {
  const held = new Set(order);
  expect(acknowledged.filter((id) => !held.has(id))).toEqual([]);
  expect(order.length).toBe(held.size);
  checkPublishersOrder(order);
  for (const { reader, seen, breaks } of sightings) {
    expect({ reader, breaks, seen }).toEqual({ reader, breaks: [], seen: order });
  }
}

/** As `checkHistory`, for readers who were told that the log has lost something: from the last time on, all is right. */
export function checkHistoryWithBreaks({ acknowledged, sightings, order }: History): void {
  checkHistory({ acknowledged, sightings: [], order });
  for (const { reader, seen, breaks } of sightings) {
    const since = seen.slice(breaks.at(-1)?.after ?? 0);
    expect({ reader, since }).toEqual({ reader, since: order.slice(order.length - since.length) });
    const known = new Set(seen);
    expect({ reader, missing: order.filter((id) => !known.has(id)) }).toEqual({ reader, missing: [] });
  }
}

/** Ids are `publisher-number`. */
function checkPublishersOrder(order: readonly string[]): void {
  const newest = new Map<string, number>();
  for (const id of order) {
    const [publisher = '', number = ''] = id.split('-');
    expect({ id, isLater: Number(number) > (newest.get(publisher) ?? -1) }).toEqual({ id, isLater: true });
    newest.set(publisher, Number(number));
  }
}
