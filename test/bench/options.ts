import { parseArgs } from 'node:util';
import { ALL_PEERS } from './peers/all.js';
import type { Peer } from './peers/peer.js';
import { ALL_SCENARIOS } from './scenarios/all.js';
import { type Effort, FULL_EFFORT, QUICK_EFFORT, type Scenario } from './scenarios/scenario.js';

export const USAGE = `npm run bench -- [--scenario a,b,…] [--peers ${ALL_PEERS.map(({ name }) => name).join(',')}] [--runs 3] [--quick]

  --scenario  which scenarios: ${ALL_SCENARIOS.map(({ id, title }) => `${id} (${title})`).join(', ')}
  --peers     which servers
  --runs      how often each is measured; medians are reported (3, or 1 with --quick)
  --quick     short windows: for trying things, not for figures to quote`;

const MAX_RUNS = 99;

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly peers: readonly Peer[];
  readonly runs: number;
  readonly quick: boolean;
  readonly effort: Effort;
}

/** Reads the command line. Throws an `Error` that says what is wrong with it. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string' },
      peers: { type: 'string' },
      runs: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  });
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
