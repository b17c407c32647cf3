import { outcomeOf } from '../outcome.js';
import type { Peer } from '../peers/peer.js';
import { say } from '../say.js';
import type { Effort, Outcome, Scenario } from '../scenarios/scenario.js';
import { type ComparedFigure, comparedFigures } from './compared-figure.js';
import { type Build, type Round, orderOf } from './round.js';

/** So many rounds are measured before the figures are judged, and again for those that stay unresolved. */
const BATCH = 8;
/** After so many nothing is added any more. */
const MAX_ROUNDS = 32;

export interface Comparison {
  readonly figures: readonly ComparedFigure[];
  readonly rounds: readonly Round[];
}

export interface ComparisonOptions {
  readonly scenarios: readonly Scenario[];
  readonly effort: Effort;
  readonly own: Peer;
  readonly other: Peer;
}

/** Measures both builds in rounds, until every figure is judged. Only scenarios with an open figure are measured again. */
export async function compare(options: ComparisonOptions): Promise<Comparison> {
  const figures = comparedFigures(options.scenarios);
  const rounds: Round[] = [];
  for (let first = 0; first < MAX_ROUNDS; first += BATCH) {
    const open = figures.filter(({ isOpen }) => isOpen);
    rounds.push(...(await measureBatch(open, first, options)));
    for (const figure of open) {
      figure.judge(first + BATCH >= MAX_ROUNDS);
      say(figure.describe());
    }
  }
  return { figures, rounds };
}

async function measureBatch(
  open: readonly ComparedFigure[],
  first: number,
  { scenarios, ...builds }: ComparisonOptions,
): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let number = first; number < first + BATCH; number += 1) {
    for (const scenario of scenarios.filter((candidate) => open.some((figure) => figure.scenario === candidate))) {
      const round = await measureRound(scenario, number, builds);
      open.filter((figure) => figure.scenario === scenario).forEach((figure) => figure.take(round));
      rounds.push(round);
    }
  }
  return rounds;
}

async function measureRound(
  scenario: Scenario,
  number: number,
  { own, other, effort }: Omit<ComparisonOptions, 'scenarios'>,
): Promise<Round> {
  const unmeasured: Outcome = { none: 'not measured' };
  const outcomes: Record<Build, Outcome> = { other: unmeasured, this: unmeasured, again: unmeasured };
  for (const build of orderOf(number)) {
    say(`round ${number + 1}, (${scenario.id}) ${scenario.title}: ${build}`);
    outcomes[build] = await outcomeOf(scenario, build === 'other' ? other : own, effort);
  }
  return { scenario, number, outcomes };
}
