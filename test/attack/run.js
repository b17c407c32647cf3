/*
 * Attacks a running service with what strangers can send, each way for some seconds beside a well-behaved reader:
 * `npm run attack -- --seed 7 --seconds 20`, or some of the ways: `npm run attack -- 1 4`. Everything goes to this
 * machine, is bounded, and ends by itself.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { canPin, HUB, Hub, token } from './hub.js';
import { Random } from './random.js';
import { ROWS } from './rows.js';

/** A reader beside an attack may be three times as slow as without it, or this slow. Milliseconds. */
const SLOW = 100;
const TIMES = 3;

/** Processes with the load share a core; the hub has the other one for itself. */
const LOAD_CORE = '1';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, seconds: { type: 'string', default: '15' } },
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const seconds = Number(values.seconds);
const rows = ROWS.filter(({ name }) => positionals.length === 0 || positionals.includes(name.split(' ', 1)[0]));

if (canPin) spawnSync('taskset', ['--cpu-list', '--pid', LOAD_CORE, String(process.pid)]);
say(`npm run attack -- --seed ${seed} --seconds ${seconds}`);
say('| what | p50, p99 without (ms) | p50, p99 beside it (ms) | late | peak (MB) | CPU (s) | |');
say('| --- | --- | --- | --- | --- | --- | --- |');
let failed = 0;
for (const row of rows) {
  // oxlint-disable-next-line no-await-in-loop -- each wants the machine for itself
  if (!(await attack(row))) failed += 1;
}
say(`${rows.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

/** Whether the hub stays alive, and quick for others. */
async function attack(row) {
  const hub = new Hub(row.env ?? {}, row.isSecure);
  const port = await hub.ready();
  const probe = spawn(
    process.execPath,
    [
      fileURLToPath(new URL('probe.js', import.meta.url)),
      String(port),
      HUB,
      token('publish'),
      row.isSecure ? 'https' : 'http',
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  await once(probe, 'message');
  const held = [];
  const failures = [];
  const stage = {
    port,
    random: new Random(seed),
    hold: (one) => held.push(one),
    fail: (what) => failures.push(what),
  };
  try {
    await row.prepare?.(stage);
    await delay(1_000);
    await figuresOf(probe);
    await delay((1_000 * seconds) / 2);
    const before = await figuresOf(probe);
    await row.begin?.(stage);
    const cpu = hub.cpu;
    const end = performance.now() + 1_000 * seconds;
    await Promise.race([
      Promise.all(Array.from({ length: row.atATime }, (_, lane) => keepOn(row, stage, lane, end))),
      // What is asked then may be answered late: the figures say so.
      delay(1_000 * (seconds + 10), undefined, { ref: false }),
    ]);
    const beside = await figuresOf(probe);
    await row.end?.(stage);
    if (!hub.isAlive) failures.push(`DEAD: ${hub.output.slice(-300)}`);
    if (beside.p99 > Math.max(SLOW, TIMES * before.p99)) failures.push('SLOW');
    const isGood = failures.length === 0;
    const verdict = isGood ? 'good' : [...new Set(failures)].slice(0, 3).join('; ');
    say(
      `| ${row.name} | ${before.p50}, ${before.p99} | ${beside.p50}, ${beside.p99} | ${beside.late} | ${hub.peak} | ${(hub.cpu - cpu).toFixed(1)} | ${verdict} |`,
    );
    return isGood;
  } finally {
    for (const one of held) one.destroy();
    probe.disconnect();
    await hub.stop();
  }
}

async function keepOn(row, stage, lane, end) {
  for (let turn = 0; performance.now() < end; turn += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await row.act(stage, lane + turn * row.atATime);
  }
}

async function figuresOf(probe) {
  probe.send('figures');
  const [{ latencies, late }] = await once(probe, 'message');
  const sorted = latencies.toSorted((left, right) => left - right);
  const at = (share) => Number((sorted[Math.floor(share * (sorted.length - 1))] ?? Infinity).toFixed(1));
  return { p50: at(0.5), p99: at(0.99), late };
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
