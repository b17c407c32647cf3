import type { Outcome, Scenario } from '../scenarios/scenario.js';

/** What is measured in each round: the other commit, this tree, and this tree again. */
export type Build = 'other' | 'this' | 'again';

/** One scenario measured once with each build, one right after the other. */
export interface Round {
  readonly scenario: Scenario;
  readonly number: number;
  readonly outcomes: Readonly<Record<Build, Outcome>>;
}

const ORDERS: readonly (readonly Build[])[] = [
  ['other', 'this', 'again'],
  ['again', 'this', 'other'],
  ['this', 'again', 'other'],
  ['other', 'again', 'this'],
  ['again', 'other', 'this'],
  ['this', 'other', 'again'],
];

/** Who is measured when in a round: all six orders in turn, each followed by its reverse, so that none is favoured. */
export function orderOf(round: number): readonly Build[] {
  return ORDERS[round % ORDERS.length] ?? [];
}

/** What this tree did wrong in a round: a measurement that failed, or a count that misses its goal (events lost, say). */
export function faultsOf({ scenario, number, outcomes }: Round): string[] {
  return [outcomes.this, outcomes.again].flatMap((outcome) => {
    const where = `(${scenario.id}), round ${number + 1}: `;
    if ('none' in outcome) return [where + outcome.none];
    return missedCounts(scenario, outcome.figures).map((fault) => where + fault);
  });
}

function missedCounts({ goals, metrics }: Scenario, figures: Readonly<Record<string, number>>): string[] {
  return goals.flatMap(({ metric: key, comparedTo, atLeast = -Infinity, atMost = Infinity }) => {
    const metric = metrics.find((candidate) => candidate.key === key);
    const figure = figures[key];
    if (metric?.unit !== 'count' || comparedTo !== undefined || figure === undefined) return [];
    return figure >= atLeast && figure <= atMost ? [] : [`${metric.label}: ${figure}`];
  });
}
