import { expect, it } from '@jest/globals';
import type { Locator } from 'playwright-core';
import { HUB, publisherToken, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { violationsOn } from './axe.js';
import { add, connect, looks, row, TOPIC } from './console-page.js';
import { isInSight } from './in-sight.js';
import { movesIn, watchLayout } from './layout-watch.js';
import { stage } from './stage.js';
import { Visit, type VisitOptions } from './visit.js';
import { waitUntil } from './wait-until.js';

const WINDOWS = [
  { width: 1440, height: 900 },
  { width: 1000, height: 760 },
  { width: 768, height: 1024 },
  { width: 360, height: 740 },
];
const [WIDE, MIDDLE, , PHONE] = WINDOWS as [Size, Size, Size, Size];
/** As many as the console takes. */
const FIFTY = Array.from({ length: 50 }, (_, number) => `topic=${TOPIC}orders/${number}`).join('&');

type Size = { readonly width: number; readonly height: number };

describeWith(chromium, 'where things are in the console', (path) => {
  const on = stage(path, () => startHub());

  function visit(query: string, options: VisitOptions = {}): Promise<Visit> {
    return Visit.to(`${on.herald.url}/#/console${query}`, on.browser, options);
  }

  async function open(query: string, viewport: Size, options: VisitOptions = {}): Promise<Visit> {
    const opened = await visit(query, { viewport, ...options });
    await connect(opened.page, await subscriberToken({ subject: 'ann' }), await publisherToken());
    return opened;
  }

  /** Publishes all at once. */
  async function burst(count: number): Promise<void> {
    const updates = Array.from({ length: count }, (_, n) => ({ topic: `${TOPIC}orders/${1_000 + n}`, data: `"${n}"` }));
    const body = updates.map((update) => `${JSON.stringify(update)}\n`).join('');
    const answer = await on.publisher.post(body, { 'content-type': 'application/x-ndjson' }, `${HUB}/batch`);
    expect(answer.statusCode).toBe(200);
    answer.resume();
  }

  it.each(WINDOWS)('stays the same at $width px, whatever happens', async (viewport) => {
    await using watched = await open(`?topic=${TOPIC}orders/1000`, viewport, { prepare: watchLayout });
    const { page } = watched;
    for (const n of [1, 2, 3]) await on.publisher.publish({ topic: `${TOPIC}orders/1000`, data: `"message ${n}"` });
    await row(page, 'message 3').waitFor();
    // The first second is over, and then some: facts have changed their widths.
    await page.locator('.facts div', { hasText: /^Up for([2-9]|\d\d)/ }).waitFor({ state: 'attached' });
    await page.locator('#console-cut').click();
    await page.locator('.row[data-mark="resumed"]').waitFor({ state: 'attached' });
    if (viewport.width < 960) await page.locator('.open-form').click();
    await add(page, `${TOPIC}orders/:id`, 'pattern');
    await burst(900);
    await row(page, '"899"').waitFor();
    const { tops, shifts } = await movesIn(page);
    expect(shifts).toEqual([]);
    expect(tops).toHaveLength(1);
  });

  it.each([WIDE, MIDDLE, PHONE])('gives what is long the room at $width px', async (viewport) => {
    await using opened = await open('?topic=*', viewport);
    const { page } = opened;
    const topic = `${TOPIC}customers/4711/${'folder/'.repeat(9)}orders/4007`;
    const data = JSON.stringify({ first: 'x'.repeat(400), needle: 'in a haystack', rest: 'y'.repeat(400) });
    await on.publisher.publish({ topic: `${TOPIC}short`, data: '"short"' });
    await on.publisher.publish({ topic, data });
    const cells = row(page, 'xxx');
    await cells.waitFor();
    // The end of a topic tells it from the others.
    expect(await isWhole(cells.locator('.tail'))).toBe(true);
    expect(await cells.locator('.tail').textContent()).toContain('/4007');
    expect(await cells.locator('.topic').getAttribute('title')).toBe(topic);
    // There is no type in the log, and nothing at the end of the row: the text has all of that.
    const gap = await cells.evaluate((element) => {
      const text = element.querySelector('.text')?.getBoundingClientRect();
      return element.getBoundingClientRect().right - (text?.right ?? 0);
    });
    expect(gap).toBeLessThan(16);
    expect(await cells.locator('.text').evaluate((text) => text.clientWidth)).toBeGreaterThan(viewport.width / 4);
    for (const word of ['haystack', 'topic:4711', 'topic:4007']) {
      await page.locator('#log-filter').fill(word);
      await waitUntil(page, () => document.querySelectorAll('.row:not([data-mark])').length === 1);
      expect({ word, seen: await isInSight(page.locator('.row mark').first()) }).toEqual({ word, seen: true });
    }
  });

  it.each(['en-US', 'zh-CN'])(
    'has the titles of all panels and all of a program in sight, whatever the width (%s)',
    async (locale) => {
      await using opened = await open('?topic=*', WIDE, { locale });
      const { page } = opened;
      const tabs = await page.locator('.tabs button').all();
      expect(tabs).toHaveLength(8);
      await page.locator('#tab-snippets').click();
      await page.locator('#snippet-language').selectOption('node');
      for (const width of [1920, 1440, 1200, 1000, 960, 959, 768, 720, 719, 360, 320]) {
        await page.setViewportSize({ width, height: 800 });
        for (const tab of tabs) {
          const seen = {
            width,
            title: await tab.textContent(),
            sight: await isInSight(tab),
            whole: await isWhole(tab),
          };
          expect(seen).toEqual({ ...seen, sight: true, whole: true });
        }
        for (const part of ['.tabs', '#snippet-subscribe', '#snippet-publish']) {
          expect({ width, part, whole: await isWhole(page.locator(part)) }).toEqual({ width, part, whole: true });
        }
      }
    },
  );

  it('asks for tokens in a dialog, which moves nothing and gives the focus back', async () => {
    await using opened = await visit('?topic=*', { prepare: watchLayout });
    const { page } = opened;
    const button = page.locator('#console-token');
    const focused = (): Promise<string> => page.evaluate(() => document.activeElement?.tagName ?? '');
    await button.press('Enter');
    expect(await focused()).toBe('INPUT');
    await page.keyboard.type('a secret');
    expect(await violationsOn(page)).toEqual([]);
    const field = page.locator('dialog[open] input').first();
    expect(await field.getAttribute('type')).toBe('password');
    await page.getByLabel('Show what is typed').check();
    expect(await field.getAttribute('type')).toBe('text');
    await page.keyboard.press('Escape');
    await page.locator('dialog[open]').waitFor({ state: 'detached' });
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
    const { tops, shifts } = await movesIn(page);
    expect(shifts).toEqual([]);
    expect(tops).toHaveLength(1);
  });

  it.each([WIDE, PHONE])('has fifty topics in one line at $width px, and shows them all if asked', async (viewport) => {
    await using opened = await visit(`?${FIFTY}`, { viewport });
    const { page } = opened;
    const chips = page.locator('.chips');
    await chips.locator('li').nth(49).waitFor({ state: 'attached' });
    expect((await chips.boundingBox())?.height).toBeLessThan(40);
    const [log, card] = [await bottomOf(page.locator('.log .empty')), await bottomOf(page.locator('main'))];
    expect(log).toBeLessThan(card);
    if (viewport === PHONE) await page.locator('.open-form').click();
    await page.locator('#topic-text').fill(`${TOPIC}one/more`);
    await page.locator('#topic-text').press('Enter');
    expect(await page.locator('.topics .full').textContent()).toBe('50 of 50: remove one to add another');
    expect(await chips.locator('li').count()).toBe(50);
    await page.keyboard.press('Escape');

    const place = await bottomOf(page.locator('.log .empty'));
    await page.locator('#topics-all').click();
    await page.getByRole('button', { name: `Remove ${TOPIC}orders/49` }).click();
    expect(await bottomOf(page.locator('.log .empty'))).toBe(place);
    await page.keyboard.press('Escape');
    expect((await chips.boundingBox())?.height).toBeLessThan(40);
    expect(await page.locator('.topics .full').count()).toBe(0);
  });

  it.each(['en-US', 'zh-CN'])('has the log first on a telephone, and nothing beside it (%s)', async (locale) => {
    await using opened = await open('?topic=*', PHONE, { locale });
    const { page } = opened;
    await burst(50);
    await row(page, '"49"').waitFor();
    const rows = await page.locator('.rows').boundingBox();
    expect(rows?.y).toBeLessThan(PHONE.height / 2);
    const acts = await page.locator('.connection-bar .acts button').all();
    expect(acts.length).toBe(3);
    for (const act of acts) expect([await act.textContent(), await isInSight(act)]).toEqual([expect.anything(), true]);
    for (const width of [360, 320]) {
      await page.setViewportSize({ width, height: 740 });
      expect((await page.locator('.tabs').boundingBox())?.height).toBeLessThan(72);
      for (const panel of await page.locator('.tabs button').all()) {
        await panel.click();
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
      }
    }
    await page.locator('#console-cut').click();
    await page.locator('.row[data-mark="resumed"]').waitFor({ state: 'attached' });
    await looks(page, 'open');
    expect(await violationsOn(page)).toEqual([]);
  });
});

function isWhole(element: Locator): Promise<boolean> {
  return element.evaluate(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth);
}

async function bottomOf(element: Locator): Promise<number> {
  const box = await element.boundingBox();
  return (box?.y ?? 0) + (box?.height ?? 0);
}
