import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { compiled, exampleIn } from '../support/examples.js';
import { linkPackages } from '../support/packages.js';

const run = promisify(execFile);

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));

it('the unit test of the documents passes in Node’s own runner, which ends by itself', async () => {
  const code = await compiled(await exampleIn('nest-bridges.md', 'unit test'));
  // Below the project, where its packages are found.
  const folder = await mkdtemp(join(DIST, 'example-'));
  try {
    const file = join(folder, 'orders.test.mjs');
    await linkPackages(folder);
    await writeFile(file, code);
    // Node tells the tests that it runs by this variable, and this one is not its own.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap', file], { env, timeout: 60_000 });
    expect(stdout).toMatch(/^# pass 1$/m);
  } finally {
    await rm(folder, { recursive: true });
  }
});
