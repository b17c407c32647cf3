import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runComparison } from './comparison/run-comparison.js';
import { describeMachine, unfitMachine } from './machine.js';
import { type AgainstOptions, type Options, type PlotOptions, USAGE, readOptions } from './options.js';
import { hasFailed, outcomeOf } from './outcome.js';
import { projectFolder } from './peers/installed.js';
import type { Peer } from './peers/peer.js';
import { drawPlots } from './plots/draw-plots.js';
import { prepareAll } from './prepare.js';
import { canPin, killAllPrograms, pinSelf } from './processes.js';
import { makeReport } from './report.js';
import { Results } from './results.js';
import { say } from './say.js';

/** `npm run bench`: this tree beside other servers, with `--against` beside another commit, or plots with `--plot`. */
const REPORT_FOLDER = join(projectFolder(), 'bench-results');

async function main(options: Options | AgainstOptions | PlotOptions): Promise<number> {
  const unfit = unfitMachine();
  if (unfit !== undefined) throw new Error(unfit);
  if (!canPin) say('!!! taskset is missing: nothing is pinned to a core');
  pinSelf();
  if ('plot' in options) return drawPlots(options.plot);
  return 'against' in options ? runComparison(options, REPORT_FOLDER) : measureServers(options);
}

/** Measures the chosen scenarios with the chosen servers, prints the report and keeps it. Resolves with the exit status. */
async function measureServers(options: Options): Promise<number> {
  const skipped = options.peers.flatMap((peer) => {
    const reason = peer.missing();
    return reason === undefined ? [] : [`${peer.name}: ${reason}`];
  });
  for (const reason of skipped) say(`!!! SKIPPED ${reason}`);
  const peers = options.peers.filter((peer) => peer.missing() === undefined);

  const notes = await prepareAll(options.scenarios, peers);
  const results = await measureAll(options, peers);
  const finishedAt = new Date();
  const report = makeReport({ ...options, peers, results, skipped, notes, machine: describeMachine(), finishedAt });
  await mkdir(REPORT_FOLDER, { recursive: true });
  await writeFile(join(REPORT_FOLDER, 'report.md'), report);
  await writeFile(join(REPORT_FOLDER, 'results.json'), `${JSON.stringify(results.all, null, 2)}\n`);
  process.stdout.write(report);
  return results.all.some(({ outcome }) => hasFailed(outcome)) ? 1 : 0;
}

/** Run by run, and in each run every scenario with every server; who comes first changes from run to run. */
async function measureAll(options: Options, peers: readonly Peer[]): Promise<Results> {
  const results = new Results();
  for (let run = 0; run < options.runs; run += 1) {
    const order = peers.map((_, index) => peers[(index + run) % peers.length]).filter((peer) => peer !== undefined);
    for (const scenario of options.scenarios) {
      for (const peer of order) {
        say(`run ${run + 1} of ${options.runs}, (${scenario.id}) ${scenario.title}: ${peer.name}`);
        const outcome = await outcomeOf(scenario, peer, options.effort);
        results.add({ scenario: scenario.id, peer: peer.name, run, outcome });
      }
    }
  }
  return results;
}

process.on('exit', killAllPrograms);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
try {
  process.exitCode = await main(readOptions(process.argv.slice(2)));
} catch (error) {
  say(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 1;
}
