import type { Update } from '../../storage/journal/update.js';
import type { Background } from '../../shared/background.js';
import type { JournalPages, Page } from './journal-pages.js';
import type { RecentLog } from './recent-log.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';

/** Entries that are looked at in one go. */
const STEP = 256;

export interface Search {
  /** The position to look back from. */
  readonly head: number;
  /** Which history of the log: see `FanOut`. */
  readonly history: number;
  /** Whether an update is wanted, found out in steps. */
  readonly wants: (update: Update) => Iterator<void, boolean> & Iterable<void>;
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
    const lowest = Math.max(0, head - HUB_LIMITS.lastLookedThrough);
    let first: number | undefined;
    let missing = count;
    for (let end = head; end > lowest && missing > 0;) {
      // oxlint-disable-next-line no-await-in-loop -- from the newest on, and no further than needed
      const entries = await this.upTo(end, history);
      // oxlint-disable-next-line no-await-in-loop -- from the newest on, and no further than needed
      const wanted = await this.background.run(filter(entries, search));
      if (search.isOver()) return undefined;
      first = wanted.at(-missing) ?? wanted[0] ?? first;
      missing -= wanted.length;
      end = (entries[0]?.position ?? 0) - 1;
    }
    return first === undefined ? undefined : { position: first, before: await this.idAt(first - 1, history) };
  }

  private async idAt(position: number, history: number): Promise<string | undefined> {
    const last = (await this.upTo(position, history)).at(-1);
    return last?.position === position ? last.update?.id : undefined;
  }

  /** Some entries up to `end`, oldest first; none where they are not held any more. */
  private async upTo(end: number, history: number): Promise<Page> {
    if (end < this.log.oldest) return (await this.pages.around(end, history)).filter(({ position }) => position <= end);
    const first = Math.max(this.log.oldest, end - STEP + 1);
    const entries = Array.from({ length: end - first + 1 }, (_, index) => this.log.at(first + index));
    return entries.filter((entry) => entry !== undefined);
  }
}

/** The positions of the entries that are wanted. */
function* filter(entries: Page, { wants, isOver }: Search): Generator<void, number[]> {
  const wanted: number[] = [];
  for (const { update, position } of entries) {
    if (isOver()) return [];
    if (update && (yield* wants(update))) wanted.push(position);
    yield;
  }
  return wanted;
}
