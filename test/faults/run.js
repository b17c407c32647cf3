/*
 * Runs the fault scenarios, each for as long as is asked: `npm run faults -- --seed 42 --minutes 10`, or some of them:
 * `npm run faults -- --minutes 10 failover killed`.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, minutes: { type: 'string', default: '1' } },
});

const jest = fileURLToPath(new URL('../../node_modules/jest/bin/jest.js', import.meta.url));
const env = { ...process.env, FAULTS_MINUTES: values.minutes, ...(values.seed && { FAULTS_SEED: values.seed }) };
const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const chosen = positionals.length > 0 ? ['--testPathPatterns', ...positionals.map((name) => `faults/${name}`)] : [];
spawn(process.execPath, [...node, jest, '--selectProjects', 'faults', '--runInBand', ...chosen], {
  env,
  stdio: 'inherit',
}).on('exit', (code) => (process.exitCode = code ?? 1));
