import { cp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { launch } from '../../browser/visit.js';
import { Herald } from '../../support/herald.js';
import { chromium, describeWith } from '../../support/programs.js';
import { Project } from '../project.js';
import { Tarballs } from '../tarballs.js';

/*
 * Each example as somebody has it who copies its folder: the packages come from their tarballs, and what these and the
 * example ask for from the registry.
 */

const EXAMPLES = fileURLToPath(new URL('../../../examples', import.meta.url));

const INSTALLATION = 300_000;

/** A port that nobody has now. The examples say by it where they are. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describeWith(chromium, 'the examples', (path) => {
  let browser: Browser;
  let tarballs: Tarballs;

  beforeAll(async () => {
    [browser, tarballs] = await Promise.all([launch(path), Tarballs.make()]);
  });
  afterAll(async () => {
    await browser.close();
    await tarballs[Symbol.asyncDispose]();
  });

  /** Installs, builds and starts an example, and has `look` drive its page. */
  async function run(name: string, look: (open: () => Promise<Page>, origin: string) => Promise<void>): Promise<void> {
    await using project = await Project.empty();
    await cp(join(EXAMPLES, name), project.path, { recursive: true, force: true });
    await project.install(tarballs.pathOf('herald-nest'), tarballs.pathOf('herald-hub-client'));
    await project.command('npm', ['run', 'build']);
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    const env = { PORT: String(port), ORIGIN: origin };
    await using herald = Herald.spawn({ command: [process.execPath, 'dist/main.js'], cwd: project.path, env });
    await herald.waitForLog(/Open http/);
    const open = async (): Promise<Page> => {
      // Each in a context of its own is a device of its own.
      const page = await (await browser.newContext()).newPage();
      await page.goto(origin);
      return page;
    };
    try {
      await look(open, origin);
    } finally {
      await Promise.all(browser.contexts().map((context) => context.close()));
    }
    expect(await herald.kill()).toMatchObject({ signal: 'SIGTERM' });
  }

  it(
    'clock: shows the time, every second',
    () =>
      run('clock', async (open) => {
        const page = await open();
        await page.locator('#messages li').nth(1).waitFor();
        expect(Date.parse((await page.locator('#messages li').first().textContent()) ?? '')).not.toBeNaN();
      }),
    INSTALLATION,
  );

  it(
    'orders: shows each customer their own orders, also what changed while they were away',
    () =>
      run('orders', async (open, origin) => {
        const [ann, bob] = await Promise.all([open(), open()]);
        for (const [page, name] of [
          [ann, 'ann'],
          [bob, 'bob'],
        ] as const) {
          await page.getByLabel('Name').fill(name);
          await page.getByRole('button', { name: 'Log in' }).click();
        }
        await ann.getByRole('button', { name: 'Order something' }).click();
        await ann.getByText('Order 1: received').waitFor();
        await bob.getByRole('button', { name: 'Order something' }).click();
        await bob.getByText('Order 2: received').waitFor();
        await ann.context().setOffline(true);
        await bob.evaluate(
          ([url]) =>
            fetch(`${url}/orders/1/status`, {
              method: 'POST',
              headers: { 'content-type': 'application/json' },
              body: JSON.stringify({ status: 'on its way' }),
            }),
          [origin],
        );
        await ann.context().setOffline(false);
        await ann.getByText('Order 1: on its way').waitFor();
        expect(await ann.locator('li').count()).toBe(1);
        expect(await bob.locator('li').count()).toBe(1);
        const stranger = await (await browser.newContext()).newPage();
        const refused = await stranger.goto(`${origin}/.well-known/mercure?match=*`);
        expect(refused?.status()).toBe(401);
      }),
    INSTALLATION,
  );

  it(
    'ai-answer: goes on after a reload, and is the same on a second device',
    () =>
      run('ai-answer', async (open) => {
        const page = await open();
        await page.getByLabel('Question').fill('Why?');
        await page.getByRole('button', { name: 'Ask' }).click();
        await page.locator('#answer', { hasText: 'That is a' }).waitFor();
        await page.reload();
        const other = await (await browser.newContext()).newPage();
        await other.goto(page.url());
        const answers = [];
        for (const one of [page, other]) {
          await one.locator('#state', { hasText: 'done' }).waitFor();
          answers.push(await one.locator('#answer').textContent());
        }
        expect(answers[0]).toMatch(/^You ask: Why\? That is a good question\..* can follow me\. $/);
        expect(answers[1]).toBe(answers[0]);
      }),
    INSTALLATION,
  );

  it(
    'dashboard: begins with the newest state, and shows no more than the page asks for',
    () =>
      run('dashboard', async (open) => {
        const page = await open();
        await page.locator('tr').nth(2).waitFor();
        const count = async (): Promise<number> =>
          Number(await page.locator('tr[data-name=north]').getAttribute('data-count'));
        const shown = await page.evaluate(
          () =>
            new Promise<number>((resolve) => {
              const rows = document.querySelector('tbody');
              let changes = 0;
              const seen = new MutationObserver(() => (changes += 1));
              if (rows) seen.observe(rows, { subtree: true, attributes: true, attributeFilter: ['data-count'] });
              setTimeout(() => resolve(changes), 3_000);
            }),
        );
        const before = await count();
        // Sixty were measured in that time.
        expect(shown).toBeGreaterThan(0);
        expect(shown).toBeLessThan(20);
        await page.waitForFunction(
          (old) => Number(document.querySelector('tr')?.getAttribute('data-count')) > old,
          before,
        );
      }),
    INSTALLATION,
  );
});
