import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const PROGRAM = fileURLToPath(new URL('foreign-engine.js', import.meta.url));

/** Runs the engine's tests with Node's own test runner, and gives how many have passed, and the names of the others. */
async function run(...options: string[]): Promise<{ readonly passed: number; readonly failed: readonly string[] }> {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const ran = promisify(execFile)(process.execPath, ['--test-reporter=tap', PROGRAM, ...options], { env });
  const { stdout } = await ran.catch((error: unknown) => error as { readonly stdout: string });
  const failed = [...stdout.matchAll(/^ {4}not ok \d+ - (.*)$/gm)].map(([, name = '']) => name);
  return { passed: Number(/^# pass (\d+)$/m.exec(stdout)?.[1]), failed };
}

describe('an engine of somebody else, tested by what the package exports', () => {
  it('passes under the test runner of Node', async () => {
    const { passed, failed } = await run();
    expect(failed).toEqual([]);
    expect(passed).toBeGreaterThan(20);
  }, 60_000);

  it('fails where it does not hold to the contract', async () => {
    const { passed, failed } = await run('careless');
    expect(failed).toContain('stores nothing twice under one idempotency key');
    expect(failed.length).toBeLessThan(passed);
  }, 60_000);
});
