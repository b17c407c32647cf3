import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startHerald } from '../support/herald.js';
import { chromium, describeWith } from '../support/programs.js';
import { violationsOn } from './axe.js';
import { StandIn } from './stand-in.js';
import { Visit } from './visit.js';
import { stage } from './stage.js';
import { waitUntil } from './wait-until.js';

const ENGLISH = 'Server-Sent Events example';
const CHINESE = '服务器发送事件示例';
const LOCALES = ['en-US', 'zh-CN'] as const;
const SCHEMES = ['light', 'dark'] as const;
/** A window in which few rows fill the list, because looking at each takes its time, the newest in its own colour. */
const LOW = { viewport: { width: 1000, height: 460 }, reducedMotion: 'no-preference' } as const;
const COMBINATIONS = LOCALES.flatMap((locale) => SCHEMES.map((colorScheme) => ({ locale, colorScheme })));

describeWith(chromium, 'how the page looks and speaks', (path) => {
  const on = stage(path, () => startHerald({ env: { HERALD_EVENTS_INTERVAL: '100ms' } }));

  it.each([
    ['en-GB', ['en', ENGLISH, ENGLISH], /^New message: 2/],
    ['zh-CN', ['zh-CN', CHINESE, CHINESE], /^新消息：2/],
    ['fr-FR', ['en', ENGLISH, ENGLISH], /^New message: 2/],
  ])("speaks the browser's language (%s)", async (locale, expected, row) => {
    await using visit = await Visit.to(on.herald.url, on.browser, { locale });
    await visit.rows(1);

    expect(await identity(visit.page)).toEqual(expected);
    expect((await visit.texts())[0]).toMatch(row);
  });

  it('changes its language by the switch, rows included, and remembers it', async () => {
    await using visit = await Visit.to(on.herald.url, on.browser);
    const { page } = visit;
    await visit.rows(3);
    await page.getByLabel('Language').selectOption('简体中文');

    expect(await identity(page)).toEqual(['zh-CN', CHINESE, CHINESE]);
    expect((await visit.texts()).every((text) => text.startsWith('新消息：'))).toBe(true);
    expect(await page.locator('#connection').innerText()).toBe('已连接');

    await page.reload();
    await visit.rows(1);
    expect(await identity(page)).toEqual(['zh-CN', CHINESE, CHINESE]);

    await page.getByLabel('语言').selectOption('English');
    expect(await identity(page)).toEqual(['en', ENGLISH, ENGLISH]);
  });

  it('follows the theme of the system or the choice, which it remembers', async () => {
    await using visit = await Visit.to(on.herald.url, on.browser, { colorScheme: 'light' });
    const { page } = visit;
    const light = await ground(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await ground(page);
    expect(dark).not.toBe(light);

    await page.getByLabel('Theme').selectOption('Light theme');
    expect(await ground(page)).toBe(light);
    await page.reload();
    expect(await ground(page)).toBe(light);
  });

  it("ticks with the server's time, whatever the browser's clock says", async () => {
    await using visit = await Visit.to(on.herald.url, on.browser, {
      prepare: (page) => page.clock.setFixedTime('2001-01-01T00:00:00Z'),
    });
    const { page } = visit;
    const clock = page.locator('#clock');
    await visit.rows(3);
    const seen = new Set<string>();
    while (seen.size < 3) seen.add((await clock.textContent()) ?? '');

    for (const time of seen) expect(time).toMatch(/^\d\d:\d\d:\d\d$/);
    const shown = Date.parse((await clock.getAttribute('datetime')) ?? '');
    const newest = Date.parse(((await visit.texts()).at(-1) ?? '').replace('New message: ', ''));
    expect(Math.abs(shown - newest)).toBeLessThan(2_000);
    expect(await page.locator('#latency').textContent()).toMatch(/^\+[\d,]+ ms$/);
  });

  it.each(COMBINATIONS)('is accessible: $locale, $colorScheme', async (look) => {
    await using visit = await Visit.to(on.herald.url, on.browser, { ...look, ...LOW });
    await visit.rows(10);
    expect(await violationsOn(visit.page)).toEqual([]);
  });

  it.each(SCHEMES)(
    'is accessible in its worst moment, too (%s)',
    async (colorScheme) => {
      await using mortal = await startHerald({ env: { HERALD_EVENTS_INTERVAL: '200ms', HERALD_MAX_AGE: '2s' } });
      await using visit = await Visit.to(mortal.url, on.browser, {
        ...LOW,
        colorScheme,
        prepare: (page) => page.clock.install(),
      });
      const { page } = visit;
      await page.locator('#messages > .break').waitFor();
      await page.locator('#messages').press('Home');
      await page.locator('#jump').waitFor();
      await mortal.kill('SIGKILL');
      await using standIn = await StandIn.start(mortal.port, 503);
      await page.locator('#countdown').waitFor();
      expect(await violationsOn(page)).toEqual([]);

      while (!(await page.locator('#connection[data-look="failed"]').isVisible())) await page.clock.fastForward(15_000);
      await standIn.stop();
      expect(await violationsOn(page)).toEqual([]);
    },
    60_000,
  );

  it.each(LOCALES)('fits a width of 360 px, and of 320 px, without scrolling sideways (%s)', async (locale) => {
    await using visit = await Visit.to(on.herald.url, on.browser, { locale, viewport: { width: 360, height: 640 } });
    const { page } = visit;
    const overflow = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await visit.rows(3);
    expect(await overflow()).toBe(0);
    expect(await page.locator('#messages').evaluate((list) => list.scrollWidth - list.clientWidth)).toBe(0);
    for (const control of await page.locator('button:visible, select').all()) {
      const box = await control.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(24);
    }

    await page.setViewportSize({ width: 320, height: 512 });
    expect(await overflow()).toBe(0);
  });

  it('fills the window up, and leaves the scrolling to the list', async () => {
    await using visit = await Visit.to(on.herald.url, on.browser, { viewport: { width: 1440, height: 900 } });
    await visit.rows(30);
    const [page, window] = await visit.page.evaluate(() => [document.documentElement.scrollHeight, innerHeight]);
    expect(page).toBe(window);
  });

  it('moves, and holds still for those who asked for that', async () => {
    await using moving = await Visit.to(on.herald.url, on.browser, { reducedMotion: 'no-preference' });
    await waitUntil(moving.page, () => document.getAnimations().length > 0);

    await using still = await Visit.to(on.herald.url, on.browser, { reducedMotion: 'reduce' });
    await still.rows(5);
    expect(await still.page.evaluate(() => document.getAnimations().length)).toBe(0);
  });
});

/** What the page says of itself. */
async function identity(page: Page): Promise<string[]> {
  const lang = (await page.locator('html').getAttribute('lang')) ?? '';
  return [lang, await page.title(), await page.locator('h1').innerText()];
}

async function ground(page: Page): Promise<string> {
  return page.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor);
}
