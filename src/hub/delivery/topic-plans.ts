import { LRUCache } from 'lru-cache';
import { allAtOnce, type Background } from '../../shared/background.js';
import type { Journal } from '../../storage/journal/journal.js';
import type { Cohort } from './cohort.js';
import { type Found, isWorthLookingUp, type Plan, planFor } from './log/wanted-positions.js';
import type { SliceStart } from './slices.js';

/** Plans that are remembered, each with at most some thousand positions. */
const REMEMBERED = 1_024;

/** Positions that are read through at least before another plan is made. */
const READ_THROUGH = 2_048;

/** Topics that are looked up at once. More give way to other work in between. */
const AT_ONCE = 64;

/** A plan for the log from a position on. */
interface Planned {
  readonly history: number;
  readonly after: number;
  readonly plan: Plan;
}

/**
 * Decides for each cohort that is behind how it reads the log: at the positions of its own updates, which are looked up
 * by topic, or through all entries. A plan covers several slices.
 */
export class TopicPlans {
  private readonly plans = new LRUCache<number, Planned>({ max: REMEMBERED });

  constructor(
    private readonly journal: Journal,
    private readonly background: Background,
  ) {}

  /** Where a cohort's updates are after a cursor; undefined where the log has to be read through. */
  after(start: SliceStart, cohort: Cohort, limit: number): Found | undefined | Promise<Found | undefined> {
    const { cursor, history } = start;
    const known = this.plans.get(cohort.id);
    if (known?.history === history && known.after <= cursor && cursor < known.plan.upTo) return foundBy(known.plan);
    const { topics } = this.journal;
    const { interest } = cohort;
    const stretch = { after: cursor, upTo: limit };
    // Comings and goings have no place in the index.
    if (!topics || cohort.seesPresence || !isWorthLookingUp(topics, stretch)) return undefined;
    const steps = planFor(topics, interest, stretch);
    const keep = (plan: Plan): Found | undefined => {
      const upTo = Math.min(limit, endOf(plan, cursor, known));
      this.plans.set(cohort.id, { history, after: cursor, plan: { ...plan, upTo } });
      return foundBy(plan);
    };
    if (!interest.hasPatterns && interest.matchers.length <= AT_ONCE) return keep(allAtOnce(steps));
    return this.background.run(steps).then(keep);
  }
}

/**
 * Where a plan ends. Where much is wanted, it is twice as long as the one before, because making a plan costs as much as
 * a slice.
 */
function endOf({ positions, upTo }: Plan, cursor: number, before: Planned | undefined): number {
  if (positions) return upTo;
  const readThrough = before && !before.plan.positions ? before.plan.upTo - before.after : 0;
  return Math.max(upTo, cursor + Math.max(READ_THROUGH, 2 * readThrough));
}

function foundBy({ positions, upTo }: Plan): Found | undefined {
  return positions && { positions, upTo };
}
