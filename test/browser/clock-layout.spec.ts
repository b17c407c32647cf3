import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startHerald } from '../support/herald.js';
import { chromium, describeWith } from '../support/programs.js';
import { violationsOn } from './axe.js';
import { movesIn, watchLayout } from './layout-watch.js';
import { stage } from './stage.js';
import { Visit } from './visit.js';

const WIDE = [
  { width: 1000, height: 700 },
  { width: 1440, height: 900 },
  { width: 2560, height: 1300 },
];
const ON_ITS_SIDE = { width: 740, height: 360 };

describeWith(chromium, 'where things are on the page of the clock', (path) => {
  const on = stage(path, () => startHerald({ env: { HERALD_EVENTS_INTERVAL: '100ms' } }));

  it.each(WIDE)('has the list beside the clock at $width px, and its header in one line', async (viewport) => {
    await using visit = await Visit.to(on.herald.url, on.browser, { viewport });
    const { page } = visit;
    await visit.rows(3);
    const [clock, list, title, choices] = await boxesOf(page, ['#clock', '#messages', 'h1', '.choices'] as const);
    expect(clock.right).toBeLessThan(list.left);
    expect(list.right).toBeGreaterThan(0.9 * viewport.width);
    expect(list.bottom - list.top).toBeGreaterThan(0.6 * viewport.height);
    expect(choices.top).toBeLessThan(title.bottom);
    const [whole, window] = await page.evaluate(() => [document.documentElement.scrollHeight, innerHeight]);
    expect(whole).toBe(window);
  });

  it('shows several messages on a telephone on its side', async () => {
    await using visit = await Visit.to(on.herald.url, on.browser, { viewport: ON_ITS_SIDE });
    const { page } = visit;
    await visit.rows(10);
    const seen = await page.locator('#messages').evaluate((list) => {
      const { top, bottom } = list.getBoundingClientRect();
      const rows = [...list.children].map((row) => row.getBoundingClientRect());
      return rows.filter((row) => row.top >= top - 1 && row.bottom <= Math.min(bottom, innerHeight) + 1).length;
    });
    expect(seen).toBeGreaterThanOrEqual(3);
    expect(await page.evaluate(() => document.documentElement.scrollHeight - innerHeight)).toBe(0);
    expect(await violationsOn(page)).toEqual([]);
  });

  it.each([
    ['en-US', /^Estimated; last heard at \d\d:\d\d:\d\d$/],
    ['zh-CN', /^估计值；最后收到消息于 \d\d:\d\d:\d\d$/],
  ])('says that it guesses while the server is away, and moves nothing (%s)', async (locale, text) => {
    await using mortal = await startHerald({ env: { HERALD_EVENTS_INTERVAL: '100ms' } });
    await using visit = await Visit.to(mortal.url, on.browser, { locale, prepare: watchLayout });
    const { page } = visit;
    await visit.rows(3);
    const date = await page.locator('#date').textContent();
    await mortal.kill('SIGKILL');
    await page.locator('#clock[data-guessed="true"]').waitFor();
    expect(await page.locator('#date').textContent()).toMatch(text);
    await using reborn = await startHerald({ port: mortal.port, env: { HERALD_EVENTS_INTERVAL: '100ms' } });
    await page.locator('#retry').click();
    await page.locator('#clock[data-guessed="false"]').waitFor();
    expect(await page.locator('#date').textContent()).toBe(date);
    expect((await movesIn(page)).shifts).toEqual([]);
    expect(reborn.port).toBe(mortal.port);
  });

  it('names Herald, leads to the console, and has its own icon again when one comes back', async () => {
    await using visit = await Visit.to(on.herald.url, on.browser);
    const { page } = visit;
    await visit.rows(1);
    const icon = (): Promise<string | null> => page.locator('link[rel=icon]').getAttribute('href');
    const own = new URL((await icon()) ?? '', page.url()).href;
    expect(await page.locator('#simple footer').textContent()).toContain('Served by Herald');
    const api = await page.locator('#simple footer a').nth(1).getAttribute('href');
    expect((await page.request.get(new URL(api ?? '', page.url()).href)).status()).toBe(200);
    await page.locator('#simple footer a').first().click();
    await page.locator('link[rel=icon][data-look=idle]').waitFor({ state: 'attached' });
    expect(await icon()).not.toBe(own);
    await page.locator('#to-clock').click();
    await visit.rows(3);
    expect(await icon()).toBe(own);
  });
});

async function boxesOf<Names extends readonly string[]>(page: Page, names: Names): Promise<Boxes<Names>> {
  const boxes = names.map((name) => page.locator(name).evaluate((element) => element.getBoundingClientRect().toJSON()));
  return (await Promise.all(boxes)) as Boxes<Names>;
}

type Boxes<Names> = { readonly [Name in keyof Names]: DOMRect };
