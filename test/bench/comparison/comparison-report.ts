import { tableRow, unitLabel, writeSpread } from '../markdown.js';
import type { Outcome, Scenario } from '../scenarios/scenario.js';
import type { Comparison } from './compare.js';
import type { ComparedFigure } from './compared-figure.js';
import { type Round, faultsOf } from './round.js';
import { LIMIT, type Verdict } from './verdict.js';
import { writeInterval } from './write-interval.js';

export interface ComparisonReportOptions extends Comparison {
  readonly scenarios: readonly Scenario[];
  /** What is compared, for a reader of the report. */
  readonly own: string;
  readonly other: string;
  readonly machine: readonly string[];
  readonly notes: ReadonlyMap<Scenario, string>;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

const DISTURBED_PERCENT = 10;
const HEADER = ['', 'other', 'this', 'this ÷ other', 'this ÷ this', 'pairs', 'verdict'];
const BAD_VERDICTS: ReadonlySet<Verdict> = new Set<Verdict>(['worse', 'unresolved-fail', 'failed']);

/** Whether this tree is no worse than the other commit in every figure, and did nothing wrong. */
export function isNoWorse({ figures, rounds }: Comparison): boolean {
  return (
    figures.every(({ judgement }) => !BAD_VERDICTS.has(judgement.verdict)) && rounds.flatMap(faultsOf).length === 0
  );
}

/** The report of a comparison with another commit, as Markdown. */
export function makeComparisonReport(options: ComparisonReportOptions): string {
  const { own, other, machine, startedAt, finishedAt } = options;
  const minutes = (finishedAt.getTime() - startedAt.getTime()) / 60_000;
  const lines = [
    '# Comparison with another commit',
    '',
    `${finishedAt.toISOString()}, after ${minutes.toFixed(1)} minutes. **${isNoWorse(options) ? 'No worse' : 'Worse or failed'}.**`,
    '',
    `- **this**: ${own}`,
    `- **other**: ${other}`,
    ...machine.map((line) => `- ${line}`),
    '',
    `“This ÷ other” is the median of the ratios of each round and its interval (about 95 %), turned so that more than 1 is better; “this ÷ this” is what the same tree has to itself in the same rounds, which is noise. The limit is ${LIMIT}. What the pairs do not decide is unresolved; then the median alone decides.`,
    ...options.scenarios.flatMap((scenario) => section(scenario, options)),
    ...listOf('What this tree did wrong', options.rounds.flatMap(faultsOf)),
    ...listOf('Rounds without a figure of the other commit', options.rounds.flatMap(failuresOfOther)),
  ];
  return `${lines.join('\n')}\n`;
}

function section(scenario: Scenario, { figures, notes, rounds }: ComparisonReportOptions): string[] {
  const note = notes.get(scenario);
  return [
    '',
    `## (${scenario.id}) ${scenario.title}`,
    ...(note === undefined ? [] : ['', note]),
    '',
    tableRow(HEADER),
    tableRow(['---', '---:', '---:', '---:', '---:', '---:', '---']),
    ...figures.filter((figure) => figure.scenario === scenario).map(figureRow),
    ...disturbance(rounds.filter((round) => round.scenario === scenario)),
  ];
}

function figureRow(figure: ComparedFigure): string {
  const { metric, judgement } = figure;
  const { verdict, ratio, noise } = judgement;
  return tableRow([
    unitLabel(metric),
    writeSpread(figure.spread('other'), metric.unit),
    writeSpread(figure.spread('this'), metric.unit),
    writeInterval(ratio),
    writeInterval(noise),
    String(figure.ratios.length),
    BAD_VERDICTS.has(verdict) ? `**${verdict}**` : verdict,
  ]);
}

function disturbance(rounds: readonly Round[]): string[] {
  const disturbed = rounds.filter(({ outcomes }) => Object.values(outcomes).some(isDisturbed)).length;
  return disturbed === 0
    ? []
    : [
        '',
        `**Disturbed**: other programs took more than a tenth of a core in ${disturbed} of ${rounds.length} rounds.`,
      ];
}

function isDisturbed(outcome: Outcome): boolean {
  if (!('figures' in outcome)) return false;
  return Object.entries(outcome.figures).some(([key, value]) => key.startsWith('others') && value > DISTURBED_PERCENT);
}

function failuresOfOther({ scenario, number, outcomes }: Round): string[] {
  return 'none' in outcomes.other ? [`(${scenario.id}), round ${number + 1}: ${outcomes.other.none}`] : [];
}

function listOf(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ['', `## ${title}`, '', ...items.map((item) => `- ${item}`)];
}
