import TinyQueue from 'tinyqueue';
import type { HeldTopic, TopicLookup } from '../../../storage/journal/topics/topic-lookup.js';
import type { Interest } from '../../matching/interest.js';

/** A stretch of fewer positions is read through, because that costs no more than looking them up. */
const SHORT = 128;

/** Reading through an entry that is not wanted costs about this part of what looking up a wanted one costs. */
const PER_ENTRY = 4;

/** Looking at a topic costs about as much as reading through so many entries. */
const PER_TOPIC = 8;

/** Topics that are looked at however long the stretch is, so that what is found fits into memory. */
const MOST_TOPICS = 10_000;

/** Positions that are found at most: those of a few slices. */
const ENOUGH = 2_048;

/** Positions of a topic that are looked up at first, at most. */
const FIRST = 64;

/** Topics in a part of a list of topics. */
const PAGE = 64;

/** Positions at which there may be something that is wanted. */
export interface Found {
  /** In order, none twice. */
  readonly positions: readonly number[];
  /** There are no others up to this position. */
  readonly upTo: number;
  /** Where they are the newest of each topic: the position after which these were looked for. */
  readonly after?: number;
  /** Updates before this position have been trimmed. */
  readonly oldest?: number;
}

/** How to read the log up to a position: at the positions that were found, or, without them, through all entries. */
export interface Plan {
  readonly positions: readonly number[] | undefined;
  readonly upTo: number;
}

/** A stretch of the log: the positions after one, up to another. */
export interface Stretch {
  readonly after: number;
  readonly upTo: number;
}

/** Whether a stretch can be looked up, and is long enough. */
export function isWorthLookingUp(lookup: TopicLookup, { after, upTo }: Stretch): boolean {
  return upTo - after >= SHORT && after + 1 >= lookup.from;
}

/**
 * Looks up where in the beginning of a stretch of the log there are updates with the topics of an interest, in steps. The
 * plan is to read through where that costs less: where much is wanted, or too many topics would have to be looked at. To
 * find that out costs a part of what reading through does.
 */
export function* planFor(lookup: TopicLookup, interest: Interest, stretch: Stretch): Generator<void, Plan> {
  const topics = yield* topicsWithNews(lookup, interest, stretch);
  if (!topics) return { positions: undefined, upTo: stretch.upTo };
  return yield* planFrom(yield* TopicMerge.after(lookup, topics, stretch.after), stretch);
}

function* planFrom(merge: TopicMerge, { after, upTo }: Stretch): Generator<void, Plan> {
  const positions: number[] = [];
  const isDense = (end: number): boolean => positions.length * PER_ENTRY > end - after;
  for (let next = merge.peek(); next !== undefined && next <= upTo; next = merge.peek()) {
    if (positions.length >= ENOUGH) return { positions, upTo: next - 1 };
    positions.push(next);
    merge.next();
    if (positions.length % PAGE > 0) continue;
    if (isDense(next)) return { positions: undefined, upTo: next };
    yield;
  }
  return { positions: isDense(upTo) ? undefined : positions, upTo };
}

/**
 * The topics of an interest that updates in the stretch may have, in steps; undefined where they are too many to be looked
 * up one by one.
 */
export function* topicsWithNews(
  lookup: TopicLookup,
  interest: Interest,
  { after, upTo }: Stretch,
): Generator<void, readonly string[] | undefined> {
  const { sources } = interest;
  const most = Math.min(MOST_TOPICS, (upTo - after) / PER_TOPIC);
  if (!sources || sources.exact.size > most) return undefined;
  const topics = new Set(sources.exact);
  let looked = topics.size;
  for (const source of sources.prefixes) {
    for (let from: string | undefined = ''; from !== undefined;) {
      const page = lookup.topics({ ...source, limit: PAGE, from });
      looked += page.topics.length;
      if (looked > most) return undefined;
      yield* addMatched(
        topics,
        interest,
        page.topics.filter(({ newest }) => newest > after),
      );
      from = page.next;
    }
  }
  return [...topics];
}

function* addMatched(topics: Set<string>, interest: Interest, candidates: readonly HeldTopic[]): Generator<void, void> {
  for (const { topic } of candidates) {
    if (yield* interest.search([topic])) topics.add(topic);
    yield;
  }
}

/** The next positions of a topic from one on, in the order of the merge; `length` of them, unless there are no more. */
type Take = (topic: string, from: number, length: number) => readonly number[];

/** Goes over the positions of one topic, and takes twice as many each time. */
class TopicCursor {
  private taken: readonly number[];
  private at = 0;

  constructor(
    private readonly topic: string,
    private readonly take: Take,
    from: number,
    private length: number,
  ) {
    this.taken = take(topic, from, length);
  }

  /** Undefined where there is none. */
  get position(): number | undefined {
    return this.taken[this.at];
  }

  goOn(): void {
    this.at += 1;
    if (this.at < this.taken.length || this.taken.length < this.length) return;
    this.length = Math.min(2 * this.length, ENOUGH);
    this.taken = this.take(this.topic, this.taken.at(-1) ?? 0, this.length);
    this.at = 0;
  }
}

/** The positions of several topics as one list, each once, of which as much is looked up as is taken. */
export class TopicMerge {
  private readonly heap: TinyQueue<TopicCursor>;
  private readonly first: number;

  private constructor(
    topics: number,
    private readonly lookUp: Take,
    private readonly from: number,
    sign: 1 | -1,
  ) {
    this.first = Math.min(FIRST, Math.ceil(ENOUGH / (topics + 1)));
    this.heap = new TinyQueue<TopicCursor>([], (one, other) => sign * ((one.position ?? 0) - (other.position ?? 0)));
  }

  /** The positions after one, in order, in a step for each topic. */
  static *after(lookup: TopicLookup, topics: readonly string[], position: number): Generator<void, TopicMerge> {
    const lookUp: Take = (topic, from, length) => lookup.positionsAfter(topic, from, length);
    return yield* new TopicMerge(topics.length, lookUp, position, 1).begin(topics);
  }

  /** The positions before one, the newest first, in a step for each topic. */
  static *before(lookup: TopicLookup, topics: readonly string[], position: number): Generator<void, TopicMerge> {
    const lookUp: Take = (topic, from, length) => lookup.positionsBefore(topic, from, length);
    return yield* new TopicMerge(topics.length, lookUp, position, -1).begin(topics);
  }

  /** The next position; undefined where there are no more. */
  peek(): number | undefined {
    return this.heap.peek()?.position;
  }

  /** Goes past the next position. */
  next(): void {
    const position = this.peek();
    if (position === undefined) return;
    do this.goOn();
    while (this.peek() === position);
  }

  /** The next positions, at most `count`. */
  take(count: number): number[] {
    const positions: number[] = [];
    for (let next = this.peek(); next !== undefined && positions.length < count; next = this.peek()) {
      positions.push(next);
      this.next();
    }
    return positions;
  }

  private *begin(topics: readonly string[]): Generator<void, this> {
    for (const topic of topics) {
      this.push(new TopicCursor(topic, this.lookUp, this.from, this.first));
      yield;
    }
    return this;
  }

  private goOn(): void {
    const cursor = this.heap.pop();
    if (!cursor) return;
    cursor.goOn();
    this.push(cursor);
  }

  private push(cursor: TopicCursor): void {
    if (cursor.position !== undefined) this.heap.push(cursor);
  }
}
