import { expect, it } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { startHub } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { launchAsPeopleHaveIt } from './as-people.js';
import { tabStage } from './tab-stage.js';
import { waitUntil } from './wait-until.js';

/** What the tests put into a page. */
interface ManyGlobals {
  readonly got: Record<string, string[]>;
  readonly states: Record<string, string>;
  readonly client: { readonly state: string };
  readonly shown: string[];
}

/** Runs in the page: subscribes to as many patterns, each by itself, and gives the numbers of those that are live or refused. */
async function followPatterns(count: number): Promise<{ live: number; refused: number; message: string | undefined }> {
  const path = '/herald/client.js';
  const { createHeraldClient } = (await import(path)) as typeof import('../../client/lib/index.js');
  const client = createHeraldClient({ share: 'none' });
  client.on('error', () => undefined);
  const handles = Array.from({ length: count }, (_, index) =>
    client.subscribe({ pattern: `https://example.com/${index}/:id` }, () => undefined),
  );
  const countOf = (state: string): number => handles.filter((one) => one.state === state).length;
  while (countOf('pending') > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const { message } = handles.find(({ error }) => error)?.error ?? {};
  const counts = { live: countOf('live'), refused: countOf('refused'), message };
  client.dispose();
  return counts;
}

/** Runs in the page: subscribes to the topics `from` to `to`, each by itself, and to what the hub refuses. */
async function subscribe({ from, to, bad }: { from: number; to: number; bad: boolean }): Promise<void> {
  const path = '/herald/client.js';
  const { createHeraldClient } = (await import(path)) as typeof import('../../client/lib/index.js');
  const client = createHeraldClient({ backoff: { min: 50, max: 300 } });
  const got: Record<string, string[]> = {};
  const states: Record<string, string> = {};
  const shown: string[] = [];
  Object.assign(globalThis, { client, got, states, shown });
  client.on('error', () => undefined);
  client.on('state', (state) => void shown.push(state));
  const follow = (name: string, match: Parameters<typeof client.subscribe>[0]): void => {
    client.subscribe(match, ({ text }) => void (got[name] ??= []).push(text), {
      onState: (state) => (states[name] = state),
    });
  };
  for (let index = from; index < to; index += 1) follow(`urn:topic:${index}`, `urn:topic:${index}`);
  // Chromium takes this pattern, and the hub does not.
  if (bad) follow('bad', { pattern: 'https://example.com/:id((?<=a)b)' });
}

function areLive(count: number): boolean {
  const { states } = globalThis as unknown as ManyGlobals;
  return Object.values(states).filter((state) => state === 'live').length === count;
}

describeWith(chromium, 'a page with very many topics', (path) => {
  const on = tabStage(() => launchAsPeopleHaveIt(path));

  async function open(range: Parameters<typeof subscribe>[0]): Promise<Page> {
    const page = await on.context.newPage();
    await page.goto(on.site.url);
    await page.evaluate(subscribe, range);
    return page;
  }

  it('shares two streams at most with other tabs, and a topic that is refused harms nobody', async () => {
    const pages = [
      await open({ from: 0, to: 500, bad: false }),
      await open({ from: 400, to: 900, bad: true }),
      await open({ from: 900, to: 1_200, bad: false }),
    ];
    await waitUntil(pages[0] as Page, areLive, 500);
    await waitUntil(pages[1] as Page, areLive, 500);
    await waitUntil(pages[2] as Page, areLive, 300);
    const refused = await pages[1]?.evaluate(() => (globalThis as unknown as ManyGlobals).states['bad']);
    expect(refused).toBe('refused');
    expect(on.site.streams.size).toBe(2);
    on.site.goAway();
    await on.publisher.publish({ topic: 'urn:topic:450', data: 'while away' });
    on.site.comeBack();
    await on.publisher.publish({ topic: 'urn:topic:1199', data: 'last' });
    await on.publisher.publish({ topic: 'urn:topic:450', data: 'back' });
    const has = ([topic, text]: readonly [string, string]): boolean =>
      (globalThis as unknown as ManyGlobals).got[topic]?.includes(text) ?? false;
    for (const page of pages.slice(0, 2)) await waitUntil(page, has, ['urn:topic:450', 'back'] as const);
    await waitUntil(pages[2] as Page, has, ['urn:topic:1199', 'last'] as const);
    for (const page of pages.slice(0, 2)) {
      const got = await page.evaluate(() => (globalThis as unknown as ManyGlobals).got['urn:topic:450']);
      expect(got).toEqual(['while away', 'back']);
    }
    const states = await pages[1]?.evaluate(() => (globalThis as unknown as ManyGlobals).states['bad']);
    expect(states).toBe('refused');
  });

  it('takes over all streams of another tab also where the code for several can not be had at first', async () => {
    const leader = await open({ from: 0, to: 800, bad: false });
    await waitUntil(leader, areLive, 800);
    const page = await open({ from: 800, to: 1_400, bad: false });
    await waitUntil(page, areLive, 600);
    let asked = 0;
    await page.route('**/herald/streams.js', (route) => ((asked += 1) === 1 ? route.abort() : route.continue()));
    await leader.close();
    const ends = ['urn:topic:800', 'urn:topic:1399'];
    for (const data of ['one', 'two']) for (const topic of ends) await on.publisher.publish({ topic, data });
    const hasBoth = (topics: readonly string[]): boolean =>
      topics.every((topic) => (globalThis as unknown as ManyGlobals).got[topic]?.includes('two'));
    await waitUntil(page, hasBoth, ends);
    const got = await page.evaluate(() => (globalThis as unknown as ManyGlobals).got);
    expect(ends.map((topic) => got[topic])).toEqual(ends.map(() => ['one', 'two']));
    expect(asked).toBeGreaterThan(1);
  }, 60_000);

  it('has two streams at most over HTTP/1.1, and says what has no room', async () => {
    const page = await on.context.newPage();
    await page.goto(on.site.url);
    const { live, refused, message } = await page.evaluate(followPatterns, 250);
    expect([live, refused]).toEqual([200, 50]);
    expect(message).toMatch(/^There is no room for this topic/);
  });

  it('has as many as it takes over HTTP/2', async () => {
    const [cert, key] = ['first.crt', 'first.key'].map((name) =>
      fileURLToPath(new URL(`../support/certificates/${name}`, import.meta.url)),
    );
    await using herald = await startHub({ HERALD_TLS_CERT_FILE: cert as string, HERALD_TLS_KEY_FILE: key as string });
    const context = await on.browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(`${herald.url}/health/live`);
    expect(await page.evaluate(followPatterns, 250)).toMatchObject({ live: 250, refused: 0 });
    await context.close();
  });

  it('shows at once that there is no network, and is back with it', async () => {
    const page = await open({ from: 0, to: 1, bad: false });
    await waitUntil(page, areLive, 1);
    const shows = (state: string): boolean => (globalThis as unknown as ManyGlobals).client.state === state;
    await on.context.setOffline(true);
    await waitUntil(page, shows, 'offline');
    await on.publisher.publish({ topic: 'urn:topic:0', data: 'meanwhile' });
    await on.context.setOffline(false);
    await waitUntil(page, shows, 'open');
    await waitUntil(page, () => (globalThis as unknown as ManyGlobals).got['urn:topic:0']?.length === 1);
    await on.publisher.publish({ topic: 'urn:topic:0', data: 'after' });
    await waitUntil(page, () => (globalThis as unknown as ManyGlobals).got['urn:topic:0']?.length === 2);
    const got = await page.evaluate(() => (globalThis as unknown as ManyGlobals).got['urn:topic:0']);

    expect(got).toEqual(['meanwhile', 'after']);
  });
});
