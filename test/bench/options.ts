import { parseArgs } from 'node:util';
import { ALL_PEERS } from './peers/all.js';
import type { Peer } from './peers/peer.js';
import { ALL_SCENARIOS } from './scenarios/all.js';
import { COMPARISON_EFFORT, type Effort, FULL_EFFORT, QUICK_EFFORT, type Scenario } from './scenarios/scenario.js';

/** Scenarios that have plots. */
const PLOTTED = ['m', 'n', 'o', 'p', 'q'] as const;

/** Scenarios that have a figure which counts in a comparison with another commit. */
const COMPARABLE = ALL_SCENARIOS.filter(({ metrics }) => metrics.some(({ better }) => better !== undefined));

export const USAGE = `npm run bench -- [--scenario a,b,…] [--peers ${ALL_PEERS.map(({ name }) => name).join(',')}] [--runs 3] [--quick]
       npm run bench -- --against COMMIT [--scenario a,b,…]
       npm run bench -- --plot ${PLOTTED.join('|')}

  --scenario  which scenarios: ${ALL_SCENARIOS.map(({ id, title }) => `${id} (${title})`).join(', ')}
  --peers     which servers
  --runs      how often each is measured; medians are reported (3, or 1 with --quick)
  --quick     short windows: for trying things, not for figures to quote
  --plot      measures what docs/plots shows of a scenario, and writes it there
  --against   compares this tree with another commit, which is built for it, in ${COMPARABLE.map(({ id }) => id).join(', ')}`;

const MAX_RUNS = 99;

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly Peer[];
  readonly runs: number;
  readonly quick: boolean;
  readonly effort: Effort;
}

/** This tree beside another commit. */
export interface AgainstOptions {
  readonly scenarios: readonly Scenario[];
  /** As Git names it. */
  readonly against: string;
  readonly effort: Effort;
}

/** Plots instead of a report. */
export interface PlotOptions {
  readonly plot: (typeof PLOTTED)[number];
}

/** Reads the command line. Throws an `Error` that says what is wrong with it. */
export function readOptions(args: readonly string[]): Options | AgainstOptions | PlotOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string' },
      peers: { type: 'string' },
      runs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      against: { type: 'string' },
      plot: { type: 'string' },
    },
  });
  if (values.plot !== undefined) {
    return { plot: readPlot(values.plot, args) };
  }
  if (values.against !== undefined) {
    if (values.peers !== undefined || values.runs !== undefined || values.quick)
      throw new Error('--against knows no other option than --scenario');
    return readAgainst(values.against, values.scenario);
  }
  return readMeasuring(values);
}

function readAgainst(against: string, list: string | undefined): AgainstOptions {
  const scenarios = choose(COMPARABLE, list, ({ id }) => id, '--scenario with --against');
  return { scenarios, against, effort: COMPARISON_EFFORT };
}

interface Values {
  readonly scenario?: string | undefined;
  readonly peers?: string | undefined;
  readonly runs?: string | undefined;
  readonly quick: boolean;
}

function readMeasuring(values: Values): Options {
  const runs = Number(values.runs ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(runs) || runs < 1 || runs > MAX_RUNS) throw new Error(`--runs must be from 1 to ${MAX_RUNS}`);
  return {
    scenarios: choose(ALL_SCENARIOS, values.scenario, ({ id }) => id, '--scenario'),
    peers: choose(ALL_PEERS, values.peers, ({ name }) => name, '--peers'),
    runs,
    quick: values.quick,
    effort: values.quick ? QUICK_EFFORT : FULL_EFFORT,
  };
}

function readPlot(plot: string, args: readonly string[]): PlotOptions['plot'] {
  const known = PLOTTED.find((one) => one === plot);
  if (!known || args.length > 2) throw new Error(`--plot knows ${PLOTTED.join(', ')}, and no other option`);
  return known;
}

function choose<Item>(
  items: readonly Item[],
  list: string | undefined,
  nameOf: (item: Item) => string,
  option: string,
): readonly Item[] {
  if (list === undefined) return items;
  const wanted = new Set(list.split(',').map((name) => name.trim()));
  const unknown = [...wanted].filter((name) => items.every((item) => nameOf(item) !== name));
  if (unknown.length > 0)
    throw new Error(`${option} knows ${items.map(nameOf).join(', ')}, but not ${unknown.join(', ')}`);
  return items.filter((item) => wanted.has(nameOf(item)));
}
