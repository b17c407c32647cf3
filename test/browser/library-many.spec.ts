import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
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
