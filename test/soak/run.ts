import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { JournalName } from './journals.js';
import { drawCurves } from './curves.js';
import { type Options, readOptions, USAGE } from './options.js';
import { hasPassed, reportOf } from './report.js';
import { soak } from './soak.js';

/** A soak has begun nothing that may be left behind: whatever it started ends with it, also after Ctrl-C. */
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort());

function say(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}

async function soakOne(journal: JournalName, options: Options): Promise<boolean> {
  const { minutes, readers, seed, out } = options;
  process.stdout.write(
    `npm run soak -- --minutes ${minutes} --journal ${journal} --readers ${readers} --seed ${seed} --warm-up ${options.warmUp}\n`,
  );
  await mkdir(out, { recursive: true });
  const soaked = await soak({
    minutes,
    readers,
    seed,
    journal,
    say,
    ...(options.snapshots && { snapshots: resolve(out, journal) }),
    warmUp: options.warmUp,
    leaks: options.leaks,
    signal: stopped.signal,
  });
  const title = `${readers} readers for ${minutes} minutes, ${journal} journal`;
  const report = reportOf(soaked);
  await writeFile(join(out, `soak-${journal}.json`), `${JSON.stringify(soaked, undefined, 1)}\n`);
  await writeFile(join(out, `soak-${journal}.svg`), drawCurves(title, soaked.loaded, soaked.idle));
  await writeFile(join(out, `soak-${journal}.md`), `${report}\n`);
  process.stdout.write(`${report}\n\n`);
  return hasPassed(soaked);
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  let failed = 0;
  for (const journal of options.journals) if (!(await soakOne(journal, options))) failed += 1;
  return failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(stopped.signal.aborted ? 'The soak was stopped.\n' : `${text}\n\n${USAGE}\n`);
  process.exitCode = stopped.signal.aborted ? 130 : 1;
}
