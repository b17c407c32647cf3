/* Runs the fault scenarios for as long as is asked: `npm run faults -- --seed 42 --minutes 10`. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seed: { type: 'string' }, minutes: { type: 'string', default: '1' } } });

const jest = fileURLToPath(new URL('../../node_modules/jest/bin/jest.js', import.meta.url));
const env = { ...process.env, FAULTS_MINUTES: values.minutes, ...(values.seed && { FAULTS_SEED: values.seed }) };
const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
spawn(process.execPath, [...node, jest, '--selectProjects', 'faults', '--runInBand'], { env, stdio: 'inherit' }).on(
  'exit',
  (code) => (process.exitCode = code ?? 1),
);
