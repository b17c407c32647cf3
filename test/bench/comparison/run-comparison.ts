import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeMachine } from '../machine.js';
import type { AgainstOptions } from '../options.js';
import { herald, heraldBuiltIn } from '../peers/herald.js';
import { projectFolder } from '../peers/installed.js';
import { prepareAll } from '../prepare.js';
import { compare } from './compare.js';
import { isNoWorse, makeComparisonReport } from './comparison-report.js';
import { buildCommit, describeTree, findCommit } from './other-build.js';

/** Builds the other commit, compares this tree with it, prints the report and keeps it. Resolves with the exit status. */
export async function runComparison(
  { scenarios, against, effort }: AgainstOptions,
  reportFolder: string,
): Promise<number> {
  const startedAt = new Date();
  const project = projectFolder();
  const commit = findCommit(project, against);
  const other = heraldBuiltIn(await buildCommit(project, commit));
  const missing = herald.missing() ?? other.missing();
  if (missing !== undefined) throw new Error(missing);
  const notes = await prepareAll(scenarios, [herald, other]);
  const comparison = await compare({ scenarios, effort, own: herald, other });
  const report = makeComparisonReport({
    ...comparison,
    scenarios,
    notes,
    startedAt,
    finishedAt: new Date(),
    own: describeTree(project),
    other: commit.title,
    machine: describeMachine(),
  });
  await mkdir(reportFolder, { recursive: true });
  await writeFile(join(reportFolder, 'comparison.md'), report);
  const rounds = comparison.rounds.map((round) => ({ ...round, scenario: round.scenario.id }));
  await writeFile(join(reportFolder, 'comparison.json'), `${JSON.stringify(rounds, null, 2)}\n`);
  process.stdout.write(report);
  return isNoWorse(comparison) ? 0 : 1;
}
