import type { Journal } from '../../../storage/journal/journal.js';
import type { TopicLookup } from '../../../storage/journal/topics/topic-lookup.js';
import type { Update } from '../../../storage/journal/update.js';
import type { Background } from '../../../shared/background.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import { type Backwards, isUpdate, type Part } from './backwards.js';
import type { Search } from './newest.js';
import { topicsWithNews } from './wanted-positions.js';

/** Entries that are read at their positions together. */
const READ_TOGETHER = 64;

/** The newest update of each of some topics. */
export interface LatestOfTopics {
  /** In order, none twice. */
  readonly positions: readonly number[];
  /** How many topics were looked at, where there are more; undefined where these are all. */
  readonly truncatedTo: number | undefined;
}

/** A topic and the positions of its newest updates, the newest first. */
interface Topic {
  readonly positions: readonly number[];
}

/** Finds the newest update of each topic, for readers that begin with the state and go on with changes (`begin=latest`). */
export class Latest {
  constructor(
    private readonly journal: Journal,
    private readonly backwards: Backwards,
    private readonly background: Background,
  ) {}

  /**
   * For each topic that is matched, the newest update that may be read, among its newest `HUB_LIMITS.latest.perTopic`: at
   * most `HUB_LIMITS.latest.topics` topics, those with the newest updates.
   */
  async find(search: Search): Promise<LatestOfTopics | undefined> {
    const { topics: lookup } = this.journal;
    const topics = lookup && (await this.background.run(topicsOf(lookup, search), search.isOver));
    const latest = await (topics ? this.among(topics, search) : this.readingThrough(search));
    return search.isOver() ? undefined : latest;
  }

  private async among(topics: readonly Topic[], { mayRead, isOver }: Search): Promise<LatestOfTopics> {
    const { topics: most, perTopic } = HUB_LIMITS.latest;
    const found = new Set<number>();
    let open = topics.slice(0, most);
    for (let round = 0; round < perTopic && open.length > 0; round += 1) {
      const positions = new Set(open.map((topic) => topic.positions[round] ?? 0));
      // oxlint-disable-next-line no-await-in-loop -- older updates are read only where newer ones may not be
      const readable = await this.readable([...positions], mayRead, isOver);
      for (const position of readable) found.add(position);
      const next = round + 1;
      open = open.filter((topic) => !readable.has(topic.positions[round] ?? 0) && topic.positions[next] !== undefined);
    }
    return latestOf(found, topics.length > most ? most : undefined);
  }

  private async readable(
    positions: readonly number[],
    mayRead: (update: Update) => boolean,
    isOver: () => boolean,
  ): Promise<ReadonlySet<number>> {
    const sorted = positions.toSorted((one, other) => other - one);
    const readable = new Set<number>();
    for (let at = 0; at < sorted.length && !isOver(); at += READ_TOGETHER) {
      // oxlint-disable-next-line no-await-in-loop -- few at a time, because each may be large
      const entries = await this.backwards.at(sorted.slice(at, at + READ_TOGETHER));
      for (const { position, update } of entries) if (mayRead(update)) readable.add(position);
    }
    return readable;
  }

  /** Where there is no index, or too many topics are matched: from the newest update back, until all topics have one. */
  private async readingThrough(search: Search): Promise<LatestOfTopics> {
    const { head, history, isOver } = search;
    const collector = new Collector(search);
    let left: number = HUB_LIMITS.latest.lookedThrough;
    let end = head;
    while (end > 0 && left > 0 && !collector.isFull && !isOver()) {
      // oxlint-disable-next-line no-await-in-loop -- from the newest on, and no further than needed
      const part = await this.backwards.upTo(end, history);
      // oxlint-disable-next-line no-await-in-loop -- from the newest on, and no further than needed
      await this.background.run(collector.take(part), isOver);
      left -= part.cost;
      end = part.after;
    }
    return latestOf(collector.found, end > 0 && (collector.isFull || left <= 0) ? collector.count : undefined);
  }
}

function latestOf(found: ReadonlySet<number>, truncatedTo: number | undefined): LatestOfTopics {
  return { positions: [...found].toSorted((one, other) => one - other), truncatedTo };
}

/** The topics that are matched, those with the newest updates first. Undefined where they are too many to be looked up. */
function* topicsOf(lookup: TopicLookup, { interest, head }: Search): Generator<void, Topic[] | undefined> {
  const names = yield* topicsWithNews(lookup, interest, { after: 0, upTo: head });
  if (!names) return undefined;
  const topics: Topic[] = [];
  for (const name of names) {
    const positions = lookup.positionsBefore(name, head + 1, HUB_LIMITS.latest.perTopic);
    if (positions.length > 0) topics.push({ positions });
    yield;
  }
  return topics.toSorted((one, other) => (other.positions[0] ?? 0) - (one.positions[0] ?? 0));
}

/** Takes entries from the newest back, and keeps the newest one of each topic that may be read. */
class Collector {
  readonly found = new Set<number>();
  /** How many updates of each topic were looked at; Infinity where one was found. */
  private readonly looked = new Map<string, number>();
  private isOverfull = false;

  constructor(private readonly search: Search) {}

  /** How many topics there are, as many as are sent. */
  get count(): number {
    return this.looked.size;
  }

  /** Whether there is a topic more than are sent. */
  get isFull(): boolean {
    return this.isOverfull;
  }

  *take({ entries, upTo }: Part): Generator<void, void> {
    for (const entry of entries.toReversed()) {
      if (this.isOverfull) return;
      if (!isUpdate(entry) || entry.position > upTo) continue;
      for (const topic of entry.update.topics) {
        yield* this.look(topic, entry.position, entry.update);
        yield;
      }
    }
  }

  private *look(topic: string, position: number, update: Update): Generator<void, void> {
    const { topics: most, perTopic } = HUB_LIMITS.latest;
    const looked = this.looked.get(topic) ?? 0;
    if (looked >= perTopic || this.isOverfull) return;
    if (looked === 0) {
      if (!(yield* this.search.interest.search([topic]))) return;
      this.isOverfull = this.looked.size >= most;
      if (this.isOverfull) return;
    }
    const mayRead = this.search.mayRead(update);
    this.looked.set(topic, mayRead ? Infinity : looked + 1);
    if (mayRead) this.found.add(position);
  }
}
