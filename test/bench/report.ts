import { tableRow, unitLabel, writeNumber, writeSpread } from './markdown.js';
import type { Peer } from './peers/peer.js';
import type { Results } from './results.js';
import type { Goal, Metric, Scenario, Unit } from './scenarios/scenario.js';

export interface ReportOptions {
  readonly results: Results;
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly Peer[];
  /** Servers that could not be measured, and why. */
  readonly skipped: readonly string[];
  readonly machine: readonly string[];
  /** What the scenarios' preparations have to say. */
  readonly notes: ReadonlyMap<Scenario, string>;
  readonly runs: number;
  readonly quick: boolean;
  readonly finishedAt: Date;
}

interface BusyKind {
  readonly keyStart: string;
  readonly percent: number;
  readonly sentence: string;
}

const LOAD_BOUND: BusyKind = {
  keyStart: 'load',
  percent: 90,
  sentence: 'The load generator was the bottleneck, not the server, in at least one run',
};
const DISTURBED: BusyKind = {
  keyStart: 'others',
  percent: 10,
  sentence: '**Disturbed**, not to be relied on: other programs took more than a tenth of a core in at least one run',
};

/** The whole report as Markdown. */
export function makeReport(options: ReportOptions): string {
  const { machine, peers, skipped, runs, quick, finishedAt } = options;
  const head = [
    '# Benchmark',
    '',
    `${finishedAt.toISOString()}; ${runs === 1 ? 'one run' : `medians of ${runs} runs (least–greatest), the order of the servers rotated`}${quick ? '; **quick mode, not for quoting**' : ''}.`,
    '',
    ...machine.map((line) => `- ${line}`),
    ...peers.map((peer) => `- **${peer.name}**: ${peer.describe()}`),
    ...skipped.map((reason) => `- **SKIPPED** ${reason}`),
    '',
    'Every measurement has a fresh server. “Herald ÷ peer” is the ratio of the two figures of the same run.',
  ];
  return `${[...head, ...options.scenarios.flatMap((scenario) => section(scenario, options))].join('\n')}\n`;
}

function section(scenario: Scenario, options: ReportOptions): string[] {
  const note = options.notes.get(scenario);
  return [
    '',
    `## (${scenario.id}) ${scenario.title}`,
    '',
    note === undefined ? scenario.explanation : `${scenario.explanation} ${note}`,
    '',
    ...figureTable(scenario, options),
    ...missingLines(scenario, options),
    ...busyLines(scenario, options, LOAD_BOUND),
    ...busyLines(scenario, options, DISTURBED),
    ...goalTable(scenario, options.results),
  ];
}

function figureTable(scenario: Scenario, { results, peers }: ReportOptions): string[] {
  const names = peers.map(({ name }) => name);
  const rows = scenario.metrics.flatMap((metric) => {
    const figures = names.map((name) => writeSpread(results.figure(scenario.id, name, metric.key), metric.unit));
    const row = tableRow([unitLabel(metric), ...figures]);
    return metric.compared && names.includes('herald') && names.length > 1
      ? [row, tableRow(['— Herald ÷ peer', ...names.map((name) => ratioCell(results, scenario, name, metric))])]
      : [row];
  });
  return [tableRow(['', ...names]), tableRow(['---', ...names.map(() => '---:')]), ...rows];
}

function ratioCell(results: Results, scenario: Scenario, name: Peer['name'], metric: Metric): string {
  return name === 'herald' ? '' : writeSpread(results.ratio(scenario.id, name, metric.key), 'ratio');
}

function missingLines(scenario: Scenario, { results, peers }: ReportOptions): string[] {
  const reasons = peers.flatMap(({ name }) => {
    const reason = results.reason(scenario.id, name);
    return reason === undefined ? [] : [`- ${name}: ${reason}`];
  });
  return reasons.length === 0 ? [] : ['', ...reasons];
}

/** A line for the servers with a figure of a kind above what leaves the others sound. */
function busyLines(scenario: Scenario, { results, peers }: ReportOptions, kind: BusyKind): string[] {
  const keys = scenario.metrics.map(({ key }) => key).filter((key) => key.startsWith(kind.keyStart));
  const busy = peers.flatMap(({ name }) => {
    const greatest = Math.max(0, ...keys.map((key) => results.figure(scenario.id, name, key)?.greatest ?? 0));
    return greatest > kind.percent ? [`${name} (${writeNumber(greatest, 'count')} %)`] : [];
  });
  return busy.length === 0 ? [] : ['', `${kind.sentence}: ${busy.join(', ')}.`];
}

function goalTable(scenario: Scenario, results: Results): string[] {
  const rows = scenario.goals.map((goal) => {
    const metric = scenario.metrics.find(({ key }) => key === goal.metric);
    const reached = results.reached(scenario.id, goal);
    const unit = goal.comparedTo === undefined ? (metric?.unit ?? 'count') : 'ratio';
    return tableRow([
      metric?.label ?? goal.metric,
      writeGoal(goal, unit),
      reached === undefined ? 'not measured' : writeSpread(reached.spread, unit),
      reached === undefined ? '' : writeVerdict(reached.met),
    ]);
  });
  return ['', tableRow(['goal for Herald', 'wanted', 'reached', '']), tableRow(['---', '---', '---:', '---']), ...rows];
}

function writeVerdict(met: boolean): string {
  return met ? 'met' : '**not met**';
}

function writeGoal({ comparedTo, atLeast, atMost }: Goal, unit: Unit): string {
  const bound = atLeast === undefined ? `≤ ${writeNumber(atMost ?? 0, unit)}` : `≥ ${writeNumber(atLeast, unit)}`;
  return comparedTo === undefined ? bound : `${bound} × ${comparedTo}`;
}
