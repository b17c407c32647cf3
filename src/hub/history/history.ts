import type { Background } from '../../shared/background.js';
import { type Entry, isPresence, isWhole, type Journal, type Reading } from '../../storage/journal/journal.js';
import type { TopicLookup } from '../../storage/journal/topics/topic-lookup.js';
import { type Update, weightOf } from '../../storage/journal/update.js';
import { TopicMerge, topicsWithNews } from '../delivery/log/wanted-positions.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';
import type { Interest } from '../matching/interest.js';

/** Entries that are read together at most: few, because each may be large. */
const READ_TOGETHER = 64;

/** Entries that take more than this together are large, in bytes: the next one is read alone then. */
const LARGE = 128 * 1024;

/** What a read counts for at least, however few updates it gives. */
const READ = 8;

export interface HistoryQuery {
  readonly interest: Interest;
  /** Whether an update may be read. */
  readonly mayRead: (update: Update) => boolean;
  /** Updates after this position. */
  readonly after: number;
  /** Updates before this position. */
  readonly before: number;
  readonly order: 'newest-first' | 'oldest-first';
  /** At most so many updates. */
  readonly limit: number;
  /** Whether nobody waits for the answer any more. */
  readonly isOver: () => boolean;
}

export interface HistoryPage {
  readonly entries: readonly Entry[];
  /** Where the next page begins: the last position that was looked at. Undefined where there is no more. */
  readonly next: number | undefined;
}

/** Gives the entries at the next positions in the order of a query; undefined where there are no more. */
type Source = () => Promise<{ readonly entries: readonly Entry[]; readonly last: number } | undefined>;

/** Finds held updates, page by page, for those who ask for them once and do not follow them. */
export class History {
  constructor(
    private readonly journal: Journal,
    private readonly background: Background,
  ) {}

  /**
   * At most `limit` updates, and fewer where they are large, or where too many of those that were looked at may not be
   * read.
   * @throws {JournalUnavailableError} when the journal can't be read.
   */
  async page(query: HistoryQuery): Promise<HistoryPage> {
    const source = (await this.lookedUp(query)) ?? this.readThrough(query);
    const found: Entry[] = [];
    let bytes = 0;
    for (let left: number = HUB_LIMITS.history.lookedThrough, last: number | undefined; !query.isOver();) {
      // oxlint-disable-next-line no-await-in-loop -- in order, and no further than needed
      const part = await source();
      if (!part) break;
      // oxlint-disable-next-line no-await-in-loop -- in order, and no further than needed
      const wanted = await this.background.run(filter(part.entries, query), query.isOver);
      for (const entry of wanted ?? []) {
        if (found.length >= query.limit || bytes >= HUB_LIMITS.history.bytes) return { entries: found, next: last };
        found.push(entry);
        bytes += bytesOf(entry.update);
        last = entry.position;
      }
      last = part.last;
      left -= Math.max(READ, part.entries.length);
      if (left <= 0) return { entries: found, next: last };
    }
    return { entries: found, next: undefined };
  }

  /** The entries with topics of the interest; undefined where the log has to be read through. */
  private async lookedUp(query: HistoryQuery): Promise<Source | undefined> {
    const { topics: lookup } = this.journal;
    if (!lookup || Math.max(query.after + 1, this.journal.oldest) < lookup.from) return undefined;
    const merge = await this.background.run(mergeFor(lookup, query), query.isOver);
    if (!merge) return undefined;
    const isEnd = (position: number | undefined): boolean =>
      position === undefined || position <= query.after || position >= query.before;
    const pace = new Pace();
    return async () => {
      const positions = merge.take(pace.together).filter((position) => !isEnd(position));
      const last = positions.at(-1);
      if (last === undefined) return undefined;
      return { entries: pace.note(inOrderOf(query, await this.readAt(positions))), last };
    };
  }

  private async readAt(positions: readonly number[]): Promise<Entry[]> {
    const entries: Entry[] = [];
    let left: readonly number[] = positions.toSorted((one, other) => one - other);
    const read = (): Promise<Reading> => this.journal.readAt(left);
    while (left.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- each part begins where the one before has ended
      const reading = await this.background.do(read);
      entries.push(...updatesOf(reading));
      left = left.filter((position) => position > reading.upTo);
    }
    return entries;
  }

  private readThrough(query: HistoryQuery): Source {
    return query.order === 'oldest-first' ? this.forwards(query) : this.backwards(query);
  }

  private forwards({ after, before }: HistoryQuery): Source {
    let cursor = after;
    return async () => {
      if (cursor + 1 >= before) return undefined;
      const reading = await this.background.do(() => this.journal.read(cursor, READ_TOGETHER));
      const isEnd = reading.entries.length === 0 || reading.upTo >= before;
      cursor = isEnd ? before : reading.upTo;
      return { entries: updatesOf(reading).filter(({ position }) => position < before), last: cursor };
    };
  }

  private backwards({ after, before }: HistoryQuery): Source {
    const pace = new Pace();
    let end = Math.min(before, this.journal.head + 1);
    return async () => {
      const start = Math.max(after, this.journal.oldest - 1, end - 1 - pace.together);
      if (start + 1 >= end) return undefined;
      const entries = await this.between(start, end);
      end = start + 1;
      return { entries: pace.note(entries.toReversed()), last: end };
    };
  }

  private async between(after: number, before: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    let cursor = after;
    const read = (): Promise<Reading> => this.journal.read(cursor, before - 1 - cursor);
    while (cursor + 1 < before) {
      // oxlint-disable-next-line no-await-in-loop -- each part begins where the one before has ended
      const reading = await this.background.do(read);
      entries.push(...updatesOf(reading).filter(({ position }) => position < before));
      if (reading.upTo <= cursor) break;
      cursor = reading.upTo;
    }
    return entries;
  }
}

/** How many entries are read together: one at first and after large ones, and then twice as many each time. */
class Pace {
  together = 1;

  /** Goes by what was read last. */
  note(entries: readonly Entry[]): readonly Entry[] {
    const bytes = entries.reduce((sum, { update }) => sum + weightOf(update), 0);
    this.together = bytes > LARGE ? 1 : Math.min(2 * this.together, READ_TOGETHER);
    return entries;
  }
}

function* mergeFor(lookup: TopicLookup, query: HistoryQuery): Generator<void, TopicMerge | undefined> {
  const { interest, after, before, order } = query;
  const topics = yield* topicsWithNews(lookup, interest, { after, upTo: before - 1 });
  if (!topics) return undefined;
  return order === 'oldest-first'
    ? yield* TopicMerge.after(lookup, topics, after)
    : yield* TopicMerge.before(lookup, topics, before);
}

/** Characters that JSON writes as six. */
const CONTROL = 0x20;

/** What an update takes in memory, or in an answer where its data takes more there. */
function bytesOf(update: Update): number {
  const { data } = update;
  let escapes = 0;
  // Faster than any regular expression, which matters for a megabyte.
  for (let at = 0; at < data.length; at += 1) if (data.charCodeAt(at) < CONTROL) escapes += 1;
  return weightOf(update) + 5 * escapes;
}

function inOrderOf({ order }: HistoryQuery, entries: readonly Entry[]): readonly Entry[] {
  return order === 'oldest-first' ? entries : entries.toReversed();
}

function updatesOf({ entries }: Reading): Entry[] {
  return entries.flatMap((entry) => (!isPresence(entry) && isWhole(entry) ? [entry] : []));
}

function* filter(entries: readonly Entry[], { interest, mayRead }: HistoryQuery): Generator<void, Entry[]> {
  const wanted: Entry[] = [];
  for (const entry of entries) {
    if ((yield* interest.search(entry.update.topics)) && mayRead(entry.update)) wanted.push(entry);
    yield;
  }
  return wanted;
}
