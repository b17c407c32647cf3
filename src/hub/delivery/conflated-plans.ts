import { LRUCache } from 'lru-cache';
import type { Background } from '../../shared/background.js';
import { isWhole } from '../../storage/journal/journal.js';
import type { Cohort } from './cohort.js';
import { NewestOfTopics } from './conflation/newest-of-topics.js';
import type { JournalPages, Page, PageEntry } from './log/journal-pages.js';
import { type RecentEntry, RecentPresence } from './log/recent-entry.js';
import type { RecentLog } from './log/recent-log.js';
import type { Found } from './log/wanted-positions.js';
import type { SliceStart } from './slices.js';
import type { TopicPlans } from './topic-plans.js';

/** Plans that are remembered, each with at most `HUB_LIMITS.offerTopics` positions and those of one entry. */
const REMEMBERED = 256;

/** Entries of the recent log that are looked at in one go. */
const STEP = 256;

interface Planned {
  readonly history: number;
  readonly limit: number;
  readonly plan: Found & { readonly after: number };
}

/** The part of a page that is looked at. */
type Part = Pick<Page, 'entries' | 'upTo' | 'oldest'>;

/**
 * Finds the newest update of each topic after a cursor, for readers with `max_rate` that are behind. The log is read from
 * the cursor on, and only positions are kept: where there are more topics than a plan may have, it ends there, and the
 * reader gets another one after it. So memory is bounded, and nothing is lost that was not superseded.
 */
export class ConflatedPlans {
  private readonly plans = new LRUCache<number, Planned>({ max: REMEMBERED });
  private clearances = 0;

  constructor(
    private readonly pages: JournalPages,
    private readonly log: RecentLog,
    private readonly background: Background,
    private readonly lookups: TopicPlans,
  ) {}

  /** What a cohort's readers are sent after a cursor, up to `limit` or before. */
  after(start: SliceStart, cohort: Cohort, limit: number): Found | Promise<Found> {
    const { cursor, history } = start;
    const known = this.plans.get(cohort.id);
    if (known?.history === history && known.limit === limit) {
      const { plan } = known;
      if (plan.after <= cursor && cursor < plan.upTo) return plan;
    }
    return this.find(start, cohort, limit);
  }

  /** Forgets all plans: updates have been taken out of the log. */
  clear(): void {
    this.clearances += 1;
    this.plans.clear();
  }

  private async find({ cursor, history }: SliceStart, cohort: Cohort, limit: number): Promise<Found> {
    const { clearances } = this;
    const newest = new NewestOfTopics(cursor);
    let at = cursor;
    while (at < limit && !newest.isFull && !cohort.isEmpty) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      const part = await this.partAfter({ cursor: at, history }, cohort, limit);
      // The reader is told of what was trimmed meanwhile before it gets anything else.
      if (part.oldest > cursor + 1) return { positions: [], upTo: part.oldest - 1, oldest: part.oldest };
      // oxlint-disable-next-line no-await-in-loop -- in order
      const end = await this.background.run(collect(part, cohort, { after: at, upTo: limit, newest }));
      if (end <= at) break;
      at = end;
    }
    const plan = { ...newest.planUpTo(at), after: cursor };
    if (clearances === this.clearances && at > cursor) this.plans.set(cohort.id, { history, limit, plan });
    return plan;
  }

  /** Some entries after a cursor among which is whatever the cohort wants. */
  private async partAfter(start: SliceStart, cohort: Cohort, limit: number): Promise<Part> {
    const { cursor, history } = start;
    const found = await this.lookups.after(start, cohort, limit);
    if (found) {
      const positions = found.positions.filter((position) => position > cursor).slice(0, STEP);
      if (positions.length === 0) return { entries: [], upTo: Math.min(limit, found.upTo), oldest: 0 };
      const page = await this.pages.atEither(positions, this.log);
      return { ...page, oldest: page.oldest > (positions[0] ?? 0) ? page.oldest : 0 };
    }
    if (cursor + 1 < this.log.oldest) return this.pages.after(cursor, history);
    const entries = this.log.between(cursor, limit, STEP);
    return { entries, upTo: entries.length < STEP ? limit : (entries.at(-1)?.position ?? limit), oldest: 0 };
  }
}

interface Collecting {
  readonly after: number;
  readonly upTo: number;
  readonly newest: NewestOfTopics;
}

/** Takes what a cohort wants of a part of the log. Gives the position up to which it has been looked at. */
function* collect(part: Part, cohort: Cohort, { after, upTo, newest }: Collecting): Generator<void, number> {
  let at = after;
  for (const entry of part.entries) {
    if (entry.position > upTo || newest.isFull || cohort.isEmpty) return at;
    yield* collectEntry(entry, cohort, at, newest);
    at = entry.position;
    yield;
  }
  return Math.max(at, Math.min(part.upTo, upTo));
}

function* collectEntry(entry: PageEntry, cohort: Cohort, after: number, newest: NewestOfTopics): Generator<void, void> {
  if (entry instanceof RecentPresence) {
    for (const event of cohort.seesPresence ? entry.eventsAfter(after) : [])
      yield* collectUpdate(event, cohort, newest);
  } else if (isWhole(entry)) yield* collectUpdate(entry, cohort, newest);
  else newest.addDamaged(entry.position);
}

function* collectUpdate(
  { position, update }: Pick<RecentEntry, 'position' | 'update'>,
  cohort: Cohort,
  newest: NewestOfTopics,
): Generator<void, void> {
  if (yield* cohort.search(update)) newest.add(position, yield* cohort.matchedOf(update));
  yield;
}
