import { firstIndex } from '../../shared/first-index.js';
import type { Background } from '../../shared/background.js';
import type { Cohort } from './cohort.js';
import { ConflatedPlans } from './conflated-plans.js';
import type { JournalPages } from './log/journal-pages.js';
import { RecentPresence } from './log/recent-entry.js';
import type { RecentLog } from './log/recent-log.js';
import { REMEMBERED_BYTES } from './log/remembered-bytes.js';
import type { Found } from './log/wanted-positions.js';
import { type Slice, SliceBuilder } from './slice-builder.js';
import type { TopicPlans } from './topic-plans.js';

export type { Slice } from './slice-builder.js';

/** Entries looked at for one slice, so that a cohort which wants few of many does not hold up everybody. */
const SLICE_ENTRIES = 2_048;

/** Topics looked at for one slice, where nothing takes long to match. */
const SLICE_TOPICS = 16_384;

/** Entries that are read at their positions together: few, because each may be large. */
const READ_TOGETHER = 64;

/** Where a slice begins: right after `cursor`, in a log that has had so many resets (`FanOut`). */
export interface SliceStart {
  readonly cursor: number;
  readonly history: number;
  /** The only updates that are wanted up to a position; undefined where all are that the cohort wants. */
  readonly plan?: Found | undefined;
}

/**
 * Reads the log for readers that are behind: from the recent log, or from the journal where the entries are older. A
 * slice is read and joined once for all readers of a cohort that have the same cursor, such as all those that a restart
 * has cut off; the last few slices are remembered.
 */
export class Slices {
  /** In the order in which they were read: keeping them in the order of use would cost 4 % of a replay. */
  private readonly remembered = new Map<string, Slice>();
  private rememberedBytes = 0;
  private readonly reading = new Map<string, Promise<Slice>>();
  private clearances = 0;
  private readonly conflated: ConflatedPlans;

  constructor(
    private readonly pages: JournalPages,
    private readonly log: RecentLog,
    private readonly background: Background,
    private readonly plans: TopicPlans,
  ) {
    this.conflated = new ConflatedPlans(pages, log, background, plans);
  }

  /** The slice that begins right after the cursor and ends at `limit`, or before; `limit` is beyond the cursor. */
  after(start: SliceStart, cohort: Cohort, limit: number): Slice | Promise<Slice> {
    const key = `${start.cursor} ${cohort.id} ${start.history} ${planKey(start, cohort, limit)}`;
    const known = this.remembered.get(key) ?? this.reading.get(key);
    if (known) return known;
    const slice = this.make(start, cohort, limit);
    if (!(slice instanceof Promise)) return this.remember(key, slice);
    const { clearances } = this;
    const reading = slice
      .finally(() => this.reading.delete(key))
      // What was taken out of the log meanwhile may be part of the slice.
      .then((ready) => (clearances === this.clearances ? this.remember(key, ready) : this.after(start, cohort, limit)));
    this.reading.set(key, reading);
    return reading;
  }

  /** Forgets what was read: updates have been taken out of the log. */
  clear(): void {
    this.clearances += 1;
    this.conflated.clear();
    this.remembered.clear();
    this.rememberedBytes = 0;
  }

  private make(start: SliceStart, cohort: Cohort, limit: number): Slice | Promise<Slice> {
    const own = start.plan ?? (cohort.isConflated ? this.conflated.after(start, cohort, limit) : undefined);
    if (own instanceof Promise) return own.then((plan) => this.makeByOwn(plan, start, cohort));
    if (own) return this.makeByOwn(own, start, cohort);
    const plan = this.plans.after(start, cohort, limit);
    if (!(plan instanceof Promise)) return this.makeBy(plan, start, cohort, limit);
    return plan.then((found) => this.makeBy(found, start, cohort, limit));
  }

  /** A slice of a plan that its readers keep to until its end, whatever else is published meanwhile. */
  private makeByOwn(plan: Found, start: SliceStart, cohort: Cohort): Slice | Promise<Slice> {
    // Comings and goings can't be read at their positions.
    const isReadThrough = cohort.seesPresence && plan.after !== undefined;
    const slice = isReadThrough
      ? this.readThrough({ ...start, plan }, cohort, plan.upTo)
      : this.atPositions(plan, start.cursor, cohort);
    return slice instanceof Promise ? slice.then((ready) => withPlan(ready, plan)) : withPlan(slice, plan);
  }

  /** @param plan where the cohort's updates are; undefined where the log has to be read through. */
  private makeBy(plan: Found | undefined, start: SliceStart, cohort: Cohort, limit: number): Slice | Promise<Slice> {
    return plan ? this.atPositions(plan, start.cursor, cohort) : this.readThrough(start, cohort, limit);
  }

  private readThrough(start: SliceStart, cohort: Cohort, limit: number): Slice | Promise<Slice> {
    const { cursor } = start;
    if (cursor + 1 < this.log.oldest) return this.fromJournal(start, cohort, limit);
    if (!cohort.takesLong) return fromRecentLog(this.log, cursor, cohort, limit);
    return this.background.run(fromRecentLogInSteps(this.log, start, cohort, limit));
  }

  /** Where the positions are known, only these entries are read. */
  private atPositions({ positions, upTo, oldest }: Found, cursor: number, cohort: Cohort): Slice | Promise<Slice> {
    const next = positions.slice(firstIndex(positions.length, (index) => (positions[index] ?? 0) > cursor));
    const isRecent = !oldest && (next[0] ?? upTo) >= this.log.oldest;
    if (isRecent && !cohort.takesLong) return atRecentPositions(this.log, { positions: next, upTo }, cursor, cohort);
    return this.readAt({ positions: next, upTo, ...(oldest && { oldest }) }, cursor, cohort);
  }

  private async readAt({ positions, upTo, oldest = 0 }: Found, cursor: number, cohort: Cohort): Promise<Slice> {
    const builder = new SliceBuilder(cursor, cohort, { oldest, oldestPresence: 0 });
    for (let left = positions; left.length > 0;) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      const page = await this.pages.atEither(left.slice(0, READ_TOGETHER), this.log);
      // What was trimmed meanwhile is missing between this slice and the next one.
      if (builder.misses({ ...page, oldest: page.oldest > (left[0] ?? 0) ? page.oldest : 0 })) return builder.build();
      // oxlint-disable-next-line no-await-in-loop -- in order
      const isDone = await (cohort.takesLong
        ? this.background.run(builder.addAllInSteps(page.entries, upTo))
        : this.background.do(() => builder.addAll(page.entries, upTo)));
      if (isDone || cohort.isEmpty) return builder.build();
      left = left.filter((position) => position > page.upTo);
    }
    builder.passTo(upTo, this.log.idAt(upTo));
    return builder.build();
  }

  private async fromJournal({ cursor, history, plan }: SliceStart, cohort: Cohort, limit: number): Promise<Slice> {
    let page = await this.pages.after(cursor, history);
    const builder = new SliceBuilder(cursor, cohort, page, plan);
    while (page.entries.length > 0) {
      const { entries } = page;
      // oxlint-disable-next-line no-await-in-loop -- in order
      const isDone = await (cohort.takesLong
        ? this.background.run(builder.addAllInSteps(entries, limit))
        : this.background.do(() => builder.addAll(entries, limit)));
      // Adjacent damaged entries make one slice, however many they are, so that a reader is told of them all at once.
      if (isDone || cohort.isEmpty || (!builder.isDamaged && builder.last - cursor >= SLICE_ENTRIES)) break;
      // oxlint-disable-next-line no-await-in-loop -- in order; most pages are there already
      page = await this.pages.after(builder.last, history);
      // What was trimmed meanwhile is missing between this slice and the next one.
      if (builder.misses(page)) break;
    }
    if (page.entries.length === 0 && !builder.misses(page)) builder.passTo(Math.min(limit, page.upTo));
    return builder.build();
  }

  /** Remembers a slice, unless it covers no entry: the log ended there only for now, and later readers look again. */
  private remember(key: string, slice: Slice): Slice {
    if (slice.last < slice.first) return slice;
    this.remembered.set(key, slice);
    this.rememberedBytes += sizeOf(slice);
    for (const [oldest, old] of this.remembered) {
      if (this.rememberedBytes <= REMEMBERED_BYTES) break;
      this.remembered.delete(oldest);
      this.rememberedBytes -= sizeOf(old);
    }
    return slice;
  }
}

/** What a slice depends on besides its beginning, its cohort and its history. */
function planKey({ plan }: SliceStart, cohort: Cohort, limit: number): string {
  // Readers of a cohort whose plans end at the same position, and begin at the same one if they are of an offer, have the
  // same plan.
  if (plan) return `${plan.upTo} ${plan.after ?? ''}`;
  return cohort.isConflated ? `to ${limit}` : '';
}

function withPlan(slice: Slice, plan: Found): Slice {
  return slice.last < plan.upTo ? { ...slice, plan } : slice;
}

function sizeOf({ bytes, plan }: Slice): number {
  return 500 + 2 * (bytes?.chunked.length ?? 0) + 8 * (plan?.positions.length ?? 0);
}

function atRecentPositions(log: RecentLog, { positions, upTo }: Found, cursor: number, cohort: Cohort): Slice {
  const builder = new SliceBuilder(cursor, cohort);
  for (const position of positions) {
    const entry = log.next(position - 1);
    if (entry?.position === position && !builder.addOrPass(entry)) return builder.build();
  }
  builder.passTo(upTo, log.idAt(upTo));
  return builder.build();
}

/** Where nothing takes long to match: at once, because a step for each entry would cost more than the matching. */
function fromRecentLog(log: RecentLog, cursor: number, cohort: Cohort, limit: number): Slice {
  const builder = new SliceBuilder(cursor, cohort);
  const entries = log.between(cursor, limit, SLICE_ENTRIES);
  let topics = 0;
  for (const entry of entries) {
    if (topics >= SLICE_TOPICS || !builder.addOrPass(entry)) return builder.build();
    if (!(entry instanceof RecentPresence)) topics += entry.update.topics.length;
  }
  if (entries.length < SLICE_ENTRIES) builder.passTo(limit);
  return builder.build();
}

function* fromRecentLogInSteps(
  log: RecentLog,
  { cursor, plan }: SliceStart,
  cohort: Cohort,
  limit: number,
): Generator<void, Slice> {
  // What the log has let go of since the reader came, the journal may still hold.
  const oldestPresence = log.oldest > cursor + 1 ? 0 : log.oldestPresence;
  const builder = new SliceBuilder(cursor, cohort, { oldest: 0, oldestPresence }, plan);
  for (let looked = 0; looked < SLICE_ENTRIES && !cohort.isEmpty; looked += 1) {
    // The log may have let go of entries since the last step.
    if (builder.misses(log)) break;
    const entry = log.next(builder.last);
    if (!entry || entry.position > limit) {
      builder.passTo(limit);
      break;
    }
    if (!(yield* builder.addInSteps(entry))) break;
    yield;
  }
  return builder.build();
}
