/*
 * What takes too long for each change: `npm run test:world`, or some of its parts: `npm run test:world -- nodes faults`.
 * The parts run one after the other, because each wants the machine for itself, and a summary comes last.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { unpackModule } from '../packages/unpack.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const JEST = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];

/** The oldest Node.js that is supported, and the newest of each line since. */
const NODES = ['20.19.0', '20', '22', '24'];

/** Chance is not asked for these: a failure can be tried again, and new seeds come with each run besides. */
const SEEDS = [1009, 2024, Date.now() % 2 ** 31];

/** What the normal tests leave out; see jest.config.js. */
const AROUND = [
  'test/(proxies|deploy|clients|operators)/',
  'test/browser/(proxies|native-event-source)',
  'test/faults/rolling-restart',
  'test/e2e/team-hosts',
];

/** The suites of the module, which its tarball has to pass as well. */
const MODULE = ['test/e2e/(team-|express|publish-to|nest-)', 'src/herald/'];

const PARTS = {
  clients: [
    {
      name: 'clients in Go, Python, Rust and Java',
      act: () => jest(['--config', 'test/world/jest.config.js']),
    },
  ],
  around: [
    {
      name: 'proxies, deployments, operators’ tools, clients of others, and what teams put on all routes',
      act: () => jest([...AROUND], { HERALD_AROUND: 'on' }),
    },
    {
      name: 'what teams put on all routes, with the module of the tarball',
      act: (parent) => onTarball(['test/e2e/team-hosts'], parent, { HERALD_AROUND: 'on' }),
    },
  ],
  packages: [
    {
      name: 'the packages, installed in new folders',
      act: () => jest(['test/packages'], { HERALD_INSTALL: 'on' }),
    },
    {
      name: 'the module’s suites, with the module of the tarball',
      act: (parent) => onTarball(MODULE, parent),
    },
  ],
  nodes: NODES.map((version) => ({
    name: `npm test on Node.js ${version}`,
    act: (parent) => onNode(version, parent),
  })),
  faults: SEEDS.map((seed) => ({
    name: `faults for two minutes each, seed ${seed}`,
    act: () => run(process.execPath, ['test/faults/run.js', '--minutes', '2', '--seed', String(seed)]),
  })),
  attack: SEEDS.map((seed) => ({
    name: `attacks for twenty seconds each, seed ${seed}`,
    act: () => run(process.execPath, ['test/attack/run.js', '--seconds', '20', '--seed', String(seed)]),
  })),
  fuzz: SEEDS.map((seed) => ({
    name: `fuzzing, 20,000 requests, seed ${seed}`,
    act: () => jest(['test/fuzz'], { HERALD_FUZZ_RUNS: '20000', HERALD_FUZZ_SEED: String(seed) }),
  })),
  sizing: [
    {
      name: 'the memory of a process that is filled to the brim',
      act: () => jest(['test/e2e/sizing'], { HERALD_SIZING: 'all' }),
    },
  ],
  soak: ['memory', 'lmdb', 'redis'].map((journal) => ({
    name: `a soak of two minutes, ${journal} journal`,
    // Caches, and what lives for some minutes, have to be full before the first figures, or they look like a leak.
    act: () => soak(['--minutes', '2', '--warm-up', '240', '--journal', journal]),
  })),
  delivery: SEEDS.map((seed) => ({
    name: `the model of delivery for two minutes on each engine and transport, seed ${seed}`,
    act: () => jest(['test/hub/delivery-model'], { HERALD_MODEL_SECONDS: '120', HERALD_MODEL_SEED: String(seed) }),
  })),
  tabs: SEEDS.slice(-1).map((seed) => ({
    name: `200 programmes of tabs in a browser, from seed ${seed}`,
    act: () => jest(['test/browser/model'], { HERALD_TABS_COUNT: '200', HERALD_TABS_SEED: String(seed) }),
  })),
};

const { positionals } = parseArgs({ allowPositionals: true });
const unknown = positionals.filter((part) => !(part in PARTS));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no part "${unknown.join('", "')}". The parts are: ${Object.keys(PARTS).join(', ')}.\n`,
  );
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'herald-world-'));
const results = [];
try {
  for (const part of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
    for (const { name, act } of PARTS[part]) {
      process.stdout.write(`\n=== ${name}\n`);
      const start = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- each wants the machine for itself
      const hasPassed = await act(folder);
      const minutes = ((performance.now() - start) / 60_000).toFixed(1);
      results.push({ name, hasPassed, minutes });
    }
  }
} finally {
  await rm(folder, { recursive: true });
}

process.stdout.write('\n');
for (const { name, hasPassed, minutes } of results) {
  process.stdout.write(`${hasPassed ? 'passed' : 'FAILED'}  ${minutes.padStart(5)} min  ${name}\n`);
}
const failed = results.filter(({ hasPassed }) => !hasPassed).length;
process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

/** The npm package `node` brings the binary. */
async function onNode(version, parent) {
  const prefix = join(parent, `node-${version}`);
  if (!(await run('npm', ['install', '--no-audit', '--no-fund', '--prefix', prefix, `node@${version}`]))) return false;
  return jest([], {}, join(prefix, 'node_modules/node/bin/node'));
}

/** Has suites import the module from the package as npm would publish it. */
async function onTarball(files, parent, env = {}) {
  return jest(files, { ...env, HERALD_NEST: await unpackModule(parent) });
}

async function soak(args) {
  const isCompiled = await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'test/soak/tsconfig.json']);
  return isCompiled && run(process.execPath, ['dist/soak/run.js', ...args]);
}

function jest(files, env = {}, node = process.execPath) {
  const path = `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`;
  return run(node, [...JEST, ...files], { ...env, PATH: path });
}

/** Whether the command ended with 0. */
async function run(command, args, env = {}) {
  const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: 'inherit' });
  const [code] = await once(child, 'close');
  return code === 0;
}
