import type { Update } from '../../../storage/journal/update.js';
import type { Background } from '../../../shared/background.js';
import { JournalPages, type PageEntry } from './journal-pages.js';
import { idOf, type RecentEntry, RecentPresence } from './recent-entry.js';
import type { RecentLog } from './recent-log.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';

/** Entries that are looked at in one go. */
const STEP = 256;

/** What a read of the journal counts for at least, however few updates it gives. */
const READ = 8;

export interface Search {
  /** The position to look back from. */
  readonly head: number;
  /** Which history of the log: see `FanOut`. */
  readonly history: number;
  /** Whether an update is wanted, found out in steps. */
  readonly wants: (update: Update) => Iterator<void, boolean> & Iterable<void>;
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
    private readonly log: RecentLog,
    private readonly pages: JournalPages,
    private readonly background: Background,
  ) {}

  /** The oldest of the newest `count` wanted updates, or of as many as there are; undefined where there are none. */
  async find(count: number, search: Search): Promise<First | undefined> {
    const { head, history } = search;
    let first: number | undefined;
    let missing = count;
    let left = HUB_LIMITS.lastLookedThrough;
    for (let end = head; end > 0 && missing > 0 && left > 0;) {
      // oxlint-disable-next-line no-await-in-loop -- from the newest on, and no further than needed
      const part = await this.upTo(end, history);
      // oxlint-disable-next-line no-await-in-loop -- from the newest on, and no further than needed
      const wanted = await this.background.run(filter(part, search));
      if (search.isOver()) return undefined;
      first = wanted.at(-missing) ?? wanted[0] ?? first;
      missing -= wanted.length;
      // Comings and goings that the reader can't see take positions, and must not hide updates that lie before them.
      left -= search.seesPresence ? end - part.after : part.cost;
      end = part.after;
    }
    return first === undefined ? undefined : { position: first, before: await this.idAt(first - 1, history) };
  }

  private async idAt(position: number, history: number): Promise<string | undefined> {
    const { entries } = await this.upTo(position, history);
    const entry = entries.find((one) => one.position >= position);
    return entry && isHeld(entry) ? idOf(entry, position) : undefined;
  }

  /** Some entries that take positions up to `upTo`, oldest first. */
  private async upTo(upTo: number, history: number): Promise<Part> {
    if (upTo >= this.log.oldest) {
      const after = Math.max(this.log.oldest - 1, upTo - STEP);
      const entries = this.log.between(after, this.log.head, STEP);
      return { after, upTo, entries, cost: Math.max(1, updatesIn(entries)) };
    }
    const page = await this.pages.around(upTo, history);
    // Where updates of this page have been trimmed, all before it have been.
    const after = page && page.oldest === 0 ? JournalPages.startOf(upTo) : 0;
    const entries = page?.entries ?? [];
    return { after, upTo, entries, cost: Math.max(READ, updatesIn(entries)) };
  }
}

/** A part of the log: what is held after one position, up to another. The last entry may reach beyond it. */
interface Part {
  readonly after: number;
  readonly upTo: number;
  readonly entries: readonly PageEntry[];
  /** What looking through it counts for. */
  readonly cost: number;
}

function updatesIn(entries: readonly PageEntry[]): number {
  return entries.filter((entry) => !(entry instanceof RecentPresence)).length;
}

function isHeld(entry: PageEntry): entry is RecentEntry | RecentPresence {
  return entry instanceof RecentPresence || entry.update !== undefined;
}

/** The positions of the events that are wanted. */
function* filter({ entries, after, upTo }: Part, { wants, seesPresence, isOver }: Search): Generator<void, number[]> {
  const wanted: number[] = [];
  for (const { position, update } of eventsOf(entries, seesPresence ? after : Infinity)) {
    if (isOver() || position > upTo) break;
    if (yield* wants(update)) wanted.push(position);
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
