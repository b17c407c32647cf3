import type { LogEntry } from './message-log.js';

/** What is known of a topic. */
export interface TopicFacts {
  readonly topic: string;
  /** Updates: held by the hub, or in the log. */
  readonly count: number;
  /** Updates a second, lately. Undefined until that can be told. */
  readonly rate: number | undefined;
  /** When the newest update was published or came: milliseconds since the epoch. */
  readonly last: number | undefined;
  /** Readers at the process that has answered, where the hub tells. */
  readonly readers?: number;
}

export const COLUMNS = ['topic', 'count', 'rate', 'last'] as const;
export type Column = (typeof COLUMNS)[number];

export interface Order {
  readonly column: Column;
  readonly isDescending: boolean;
}

/** Milliseconds over which a rate is taken. */
const WINDOW = 10_000;

/** The topics of the messages in a log. @param at milliseconds since the epoch. */
export function topicsOf(entries: readonly LogEntry[], at: number): TopicFacts[] {
  const topics = new Map<string, { count: number; recent: number; last: number }>();
  for (const entry of entries) {
    if (entry.kind === 'mark') continue;
    const known = topics.get(entry.topic) ?? { count: 0, recent: 0, last: 0 };
    known.count += 1;
    // What was replayed, or comes from the history, was published at another time.
    if (!entry.isReplayed && entry.at > at - WINDOW) known.recent += 1;
    known.last = Math.max(known.last, entry.at);
    topics.set(entry.topic, known);
  }
  return [...topics].map(([topic, { count, recent, last }]) => ({
    topic,
    count,
    rate: recent / (WINDOW / 1_000),
    last,
  }));
}

/** Rates, from how much the counts have grown. What the hub has trimmed in the meantime is not counted. */
export class Growth {
  private readonly samples: { readonly at: number; readonly counts: ReadonlyMap<string, number> }[] = [];

  /** Takes note of all counts at a time, and returns how many more there are of each topic in a second. */
  note(topics: readonly { readonly topic: string; readonly count: number }[], at: number): ReadonlyMap<string, number> {
    const [base] = this.samples;
    const counts = new Map(topics.map(({ topic, count }) => [topic, count]));
    this.samples.push({ at, counts });
    while ((this.samples[1]?.at ?? at) < at - WINDOW) this.samples.shift();
    if (!base || at <= base.at) return new Map();
    const rate = (topic: string, count: number): number =>
      (Math.max(0, count - (base.counts.get(topic) ?? 0)) * 1_000) / (at - base.at);
    return new Map([...counts].map(([topic, count]) => [topic, rate(topic, count)]));
  }

  clear(): void {
    this.samples.length = 0;
  }
}

/** The topics that a search finds, in order. Topics of equal rank are in the order of their names. */
export function arrange(topics: readonly TopicFacts[], search: string, order: Order): TopicFacts[] {
  const wanted = search.toLowerCase();
  const found = topics.filter(({ topic }) => topic.toLowerCase().includes(wanted));
  const sign = order.isDescending ? -1 : 1;
  return found.toSorted((one, other) => sign * compare(one, other, order.column) || byName(one, other));
}

/** The same topics in the order in which they were shown before; those that are new come last. */
export function keepOrder(topics: readonly TopicFacts[], before: readonly string[]): TopicFacts[] {
  const places = new Map(before.map((topic, index) => [topic, index]));
  const placeOf = ({ topic }: TopicFacts): number => places.get(topic) ?? Infinity;
  return topics.toSorted((one, other) => (placeOf(one) === placeOf(other) ? 0 : placeOf(one) - placeOf(other)));
}

function compare(one: TopicFacts, other: TopicFacts, column: Column): number {
  return column === 'topic' ? byName(one, other) : (one[column] ?? -1) - (other[column] ?? -1);
}

function byName({ topic: one }: TopicFacts, { topic: other }: TopicFacts): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
