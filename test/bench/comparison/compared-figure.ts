import type { Metric, Outcome, Scenario } from '../scenarios/scenario.js';
import { type Spread, spreadOf } from '../statistics.js';
import type { Build, Round } from './round.js';
import { type Judgement, judge } from './verdict.js';
import { writeInterval } from './write-interval.js';

/** One figure of one scenario: the rounds that it has been through, and what they say about it. */
export class ComparedFigure {
  judgement: Judgement = { verdict: 'unresolved' };
  private readonly rounds: Round[] = [];

  constructor(
    readonly scenario: Scenario,
    readonly metric: Metric,
  ) {}

  get isOpen(): boolean {
    return this.judgement.verdict === 'unresolved';
  }

  /** Ratios of this tree to the other commit, greater being better; a round in which either failed has none. */
  get ratios(): number[] {
    return this.ratiosTo('other');
  }

  /** The same of this tree to itself. */
  get noises(): number[] {
    return this.ratiosTo('again');
  }

  take(round: Round): void {
    this.rounds.push(round);
  }

  /** @param isLast no more rounds will come. */
  judge(isLast: boolean): void {
    this.judgement = judge(this.ratios, this.noises, isLast);
  }

  /** Where it stands, in a line for whoever waits. */
  describe(): string {
    const { verdict, ratio, noise } = this.judgement;
    const where = `(${this.scenario.id}) ${this.metric.label}: ${verdict} after ${this.ratios.length} pairs`;
    return `${where}, this ÷ other ${writeInterval(ratio)}, this ÷ this ${writeInterval(noise)}`;
  }

  /** What was measured of one build; nothing when it always failed. */
  spread(build: Build): Spread | undefined {
    return spreadOf(this.rounds.map(({ outcomes }) => this.valueIn(outcomes[build])));
  }

  private ratiosTo(build: Build): number[] {
    const ratios = this.rounds.map(({ outcomes }) => {
      const own = this.valueIn(outcomes.this);
      const others = this.valueIn(outcomes[build]);
      return this.metric.better === 'greater' ? own / others : others / own;
    });
    return ratios.filter((ratio) => ratio > 0 && ratio < Infinity);
  }

  private valueIn(outcome: Outcome): number {
    return 'figures' in outcome ? (outcome.figures[this.metric.key] ?? Number.NaN) : Number.NaN;
  }
}

/** The figures of the scenarios that count in a comparison. */
export function comparedFigures(scenarios: readonly Scenario[]): ComparedFigure[] {
  return scenarios.flatMap((scenario) =>
    scenario.metrics.flatMap((metric) => (metric.better === undefined ? [] : [new ComparedFigure(scenario, metric)])),
  );
}
