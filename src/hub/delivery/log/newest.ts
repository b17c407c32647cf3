import type { Journal } from '../../../storage/journal/journal.js';
import type { Update } from '../../../storage/journal/update.js';
import type { Background } from '../../../shared/background.js';
import type { Interest } from '../../matching/interest.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import { type Backwards, isHeld, type Part } from './backwards.js';
import type { PageEntry } from './journal-pages.js';
import { idOf, type RecentEntry, RecentPresence } from './recent-entry.js';
import { TopicMerge, topicsWithNews } from './wanted-positions.js';

/** Entries that are read at their positions together. */
const READ_TOGETHER = 64;

export interface Search {
  /** The position to look back from. */
  readonly head: number;
  /** Which history of the log: see `FanOut`. */
  readonly history: number;
  readonly interest: Interest;
  /** Whether an update may be read. */
  readonly mayRead: (update: Update) => boolean;
  /** Whether comings and goings may be wanted: their events are made only then. */
  readonly seesPresence: boolean;
  /** Whether nobody waits for the result any more. */
  readonly isOver: () => boolean;
}

/** The oldest of the updates that were found. */
export interface First {
  readonly position: number;
  /** The id of the entry before it, where that is held and not damaged. */
  readonly before: string | undefined;
}

/** Searches the log backwards, for readers that want to begin with their newest updates (`last=n`). */
export class Newest {
  constructor(
    private readonly journal: Journal,
    private readonly backwards: Backwards,
    private readonly background: Background,
  ) {}

  /** The oldest of the newest `count` wanted updates, or of as many as there are; undefined where there are none. */
  async find(count: number, search: Search): Promise<First | undefined> {
    const candidates = await this.candidates(search);
    const first = await (candidates ? this.among(candidates, count, search) : this.readingThrough(count, search));
    if (first === undefined || search.isOver()) return undefined;
    return { position: first, before: await this.idAt(first - 1, search.history) };
  }

  /** The positions at which there may be something that is wanted; undefined where the log has to be read through. */
  private async candidates({ head, interest, seesPresence, isOver }: Search): Promise<TopicMerge | undefined> {
    const { topics: lookup } = this.journal;
    // Comings and goings have no place in the index.
    if (!lookup || seesPresence) return undefined;
    function* steps(): Generator<void, TopicMerge | undefined> {
      if (!lookup) return undefined;
      const topics = yield* topicsWithNews(lookup, interest, { after: 0, upTo: head });
      return topics && (yield* TopicMerge.before(lookup, topics, head + 1));
    }
    return this.background.run(steps(), isOver);
  }

  private async among(candidates: TopicMerge, count: number, search: Search): Promise<number | undefined> {
    let first: number | undefined;
    let missing = count;
    for (let left: number = HUB_LIMITS.lastLookedThrough; missing > 0 && left > 0 && !search.isOver();) {
      const positions = candidates.take(Math.min(left, READ_TOGETHER));
      if (positions.length === 0) break;
      left -= positions.length;
      // oxlint-disable-next-line no-await-in-loop -- from the newest on, and no further than needed
      const readable = (await this.backwards.at(positions)).filter(({ update }) => search.mayRead(update));
      first = readable.slice(0, missing).at(-1)?.position ?? first;
      missing -= readable.length;
    }
    return first;
  }

  private async readingThrough(count: number, search: Search): Promise<number | undefined> {
    const { head, history } = search;
    let first: number | undefined;
    let missing = count;
    let left = HUB_LIMITS.lastLookedThrough;
    for (let end = head; end > 0 && missing > 0 && left > 0;) {
      // oxlint-disable-next-line no-await-in-loop -- from the newest on, and no further than needed
      const part = await this.backwards.upTo(end, history);
      // oxlint-disable-next-line no-await-in-loop -- from the newest on, and no further than needed
      const wanted = await this.background.run(filter(part, search));
      if (search.isOver()) return undefined;
      first = wanted.at(-missing) ?? wanted[0] ?? first;
      missing -= wanted.length;
      // Comings and goings that the reader can't see take positions, and must not hide updates that lie before them.
      left -= search.seesPresence ? end - part.after : part.cost;
      end = part.after;
    }
    return first;
  }

  private async idAt(position: number, history: number): Promise<string | undefined> {
    const { entries } = await this.backwards.upTo(position, history);
    const entry = entries.find((one) => one.position >= position);
    return entry && isHeld(entry) ? idOf(entry, position) : undefined;
  }
}

/** The positions of the events that are wanted. */
function* filter({ entries, after, upTo }: Part, search: Search): Generator<void, number[]> {
  const { interest, mayRead, seesPresence, isOver } = search;
  const wanted: number[] = [];
  for (const { position, update } of eventsOf(entries, seesPresence ? after : Infinity)) {
    if (isOver() || position > upTo) break;
    if ((yield* interest.search(update.topics)) && mayRead(update)) wanted.push(position);
    yield;
  }
  return isOver() ? [] : wanted;
}

/** @param after comings and goings give their events after this position. */
function* eventsOf(entries: readonly PageEntry[], after: number): Iterable<RecentEntry> {
  for (const entry of entries) {
    if (entry instanceof RecentPresence) yield* entry.eventsAfter(after);
    else if (isHeld(entry)) yield entry;
  }
}
