import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser } from 'playwright-core';
import { Publisher, startHub } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { bundled } from './bundled.js';
import { LibrarySite } from './library-site.js';
import { Tab } from './tab.js';
import { launch } from './visit.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

describeWith(chromium, 'the client library in a browser', (path) => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch(path);
  });

  afterAll(async () => {
    await browser.close();
  });

  it('loses and doubles nothing when the hub is killed and is back after nine seconds', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'herald-library-'));
    const env = { HERALD_JOURNAL: `lmdb:${directory}` };
    const context = await browser.newContext();
    const first = await startHub(env);
    await using site = await LibrarySite.before(first);
    const tabs = [await Tab.open(context, site.url), await Tab.open(context, site.url)];
    using before = await Publisher.of(first);
    for (const data of range(1, 50)) await before.publish({ topic: 'urn:t', data });
    await first.kill('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 9_000));
    await using second = await startHub(env, first.port);
    using after = await Publisher.of(second);
    for (const data of range(51, 100)) await after.publish({ topic: 'urn:t', data });
    for (const tab of tabs) await tab.has('100');

    for (const tab of tabs) expect(await tab.texts()).toEqual(range(1, 100));
    await context.close();
    await rm(directory, { recursive: true });
  }, 60_000);

  it('notices a stream that carries nothing more, and misses nothing', async () => {
    await using herald = await startHub({ HERALD_HEARTBEAT: '200ms' });
    await using site = await LibrarySite.before(herald);
    using publisher = await Publisher.of(herald);
    const context = await browser.newContext();
    const tab = await Tab.open(context, site.url);
    await publisher.publish({ topic: 'urn:t', data: '1' });
    await tab.has('1');
    site.stall();
    await publisher.publish({ topic: 'urn:t', data: '2' });
    await tab.has('2');

    expect(await tab.texts()).toEqual(['1', '2']);
    await context.close();
  });

  it('reads by the EventSource of the browser, if asked, and resumes', async () => {
    await using herald = await startHub();
    await using site = await LibrarySite.before(herald);
    using publisher = await Publisher.of(herald);
    const context = await browser.newContext();
    const tab = await Tab.open(context, site.url, { transport: true, topics: ['urn:t'] });
    await publisher.publish({ topic: 'urn:t', data: '1' });
    await tab.has('1');
    site.goAway();
    await publisher.publish({ topic: 'urn:t', data: '2', type: 'named' });
    site.comeBack();
    await tab.has('2');

    expect(await tab.texts()).toEqual(['1', '2']);
    await context.close();
  });

  it('has 120 streams over one connection with HTTP/2', async () => {
    const [cert, key] = [here('../support/certificates/first.crt'), here('../support/certificates/first.key')];
    await using herald = await startHub({ HERALD_TLS_CERT_FILE: cert, HERALD_TLS_KEY_FILE: key });
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(`${herald.url}/health/live`);
    const outcome = await page.evaluate(async () => {
      const module = '/herald/client.js';
      const { createHeraldClient } = (await import(module)) as typeof import('../../client/lib/index.js');
      const clients = Array.from({ length: 120 }, () => createHeraldClient({ share: 'none' }));
      await Promise.all(
        clients.map(
          (client) =>
            new Promise<void>((resolve) => {
              client.subscribe('urn:t', () => undefined, { onLive: resolve });
            }),
        ),
      );
      const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
      const open = clients.filter(({ state }) => state === 'open').length;
      for (const client of clients) client.dispose();
      return { open, protocols: [...new Set(entries.map(({ nextHopProtocol }) => nextHopProtocol))] };
    });

    expect(outcome).toEqual({ open: 120, protocols: ['h2'] });
    await context.close();
  });

  it('is a hook of React, which keeps its subscription over renders and ends it with its component', async () => {
    await using herald = await startHub();
    await using site = await LibrarySite.before(herald);
    using publisher = await Publisher.of(herald);
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(site.url);
    await page.addScriptTag({ type: 'module', content: await bundled('react-app.ts') });
    const button = page.locator('button');
    await page.locator('button[data-state=open]').waitFor();
    const { asked } = site;
    for (const data of ['1', '2']) await publisher.publish({ topic: 'urn:a', data });
    await page.locator('button', { hasText: 'urn:a 1, urn:a 2' }).waitFor();
    expect(site.asked).toBe(asked);
    await button.click();
    await site.until(() => site.asked > asked && site.streams.size === 1);
    await publisher.publish({ topic: 'urn:a', data: 'nobody hears it' });
    await publisher.publish({ topic: 'urn:b', data: '3' });
    await page.locator('button', { hasText: 'urn:b 3' }).waitFor();
    expect(await button.textContent()).toBe('urn:a 1, urn:a 2, urn:b 3');
    await page.evaluate('unmount()');
    await site.has(0);
    await context.close();
  });
});
