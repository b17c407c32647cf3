import { expect, it } from '@jest/globals';
import { startHerald } from '../support/herald.js';
import { chromium, describeWith } from '../support/programs.js';
import { Visit } from './visit.js';
import { drawn, waitUntil } from './wait-until.js';
import { stage } from './stage.js';

describeWith(chromium, 'the list of messages', (path) => {
  const on = stage(path, () => startHerald({ env: { HERALD_EVENTS_INTERVAL: '50ms' } }));

  it('grows by one row for each timestamp, in order', async () => {
    await using visit = await Visit.to(on.herald.url, on.browser);
    await visit.rows(10);

    const texts = await visit.texts();
    for (const text of texts) expect(text).toMatch(/^New message: \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(texts).toEqual(texts.toSorted());
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('follows the newest row', async () => {
    await using visit = await Visit.to(on.herald.url, on.browser);
    await visit.rows(40);

    expect(await visit.toEnd()).toBeLessThan(8);
    expect(await visit.page.locator('#jump').isHidden()).toBe(true);
  });

  it('follows the newest row when the window gets smaller', async () => {
    await using visit = await Visit.to(on.herald.url, on.browser);
    await visit.rows(40);
    // A row that comes in would put it right, so there must be none.
    await visit.page.getByRole('button', { name: 'Pause' }).click();
    await visit.page.setViewportSize({ width: 360, height: 600 });
    await waitUntil(visit.page, () => {
      const list = document.querySelector('#messages');
      return list !== null && list.scrollHeight - list.clientHeight - list.scrollTop < 8;
    });
    expect(await visit.toEnd()).toBeLessThan(8);
  });

  it('stays where the reader has scrolled to, and comes back by a button', async () => {
    await using visit = await Visit.to(on.herald.url, on.browser);
    const { page } = visit;
    const list = page.locator('#messages');
    await visit.rows(40);
    await list.hover();
    await page.mouse.wheel(0, -300);
    await page.locator('#jump').waitFor();
    const place = await list.evaluate(({ scrollTop }) => scrollTop);
    await visit.more(10);

    expect(await list.evaluate(({ scrollTop }) => scrollTop)).toBe(place);
    expect(await page.locator('#jump').textContent()).toMatch(/^\d+ new$/);

    await page.locator('#jump').click();
    expect(await visit.toEnd()).toBeLessThan(8);
    expect(await page.locator('#jump').isHidden()).toBe(true);
    await visit.more(10);
    expect(await visit.toEnd()).toBeLessThan(8);
  });

  it('can be read with the keyboard alone', async () => {
    await using visit = await Visit.to(on.herald.url, on.browser);
    const { page } = visit;
    const focused = (): Promise<string | undefined> => page.evaluate(() => document.activeElement?.id);
    await visit.rows(40);
    const order = [];
    for (let stop = 0; stop < 6; stop += 1) {
      await page.keyboard.press('Tab');
      order.push(await focused());
    }
    expect(order).toEqual(['to-clock', 'to-console', 'language', 'theme', 'pause', 'messages']);

    await page.keyboard.press('Home');
    await page.locator('#jump').waitFor();
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('jump');

    await page.keyboard.press('Enter');
    expect(await focused()).toBe('messages');
    expect(await visit.toEnd()).toBeLessThan(8);
  });

  it('can be paused, the clock going on, and loses nothing by it', async () => {
    await using visit = await Visit.to(on.herald.url, on.browser);
    const { page } = visit;
    await visit.rows(5);
    await page.getByRole('button', { name: 'Pause' }).click();
    const shown = await visit.texts();
    const clock = page.locator('#clock');
    const second = await clock.textContent();
    await visit.more(30);
    await waitUntil(page, (before) => document.querySelector('#clock')?.textContent !== before, second);
    expect(await visit.texts()).toEqual(shown);

    await page.getByRole('button', { name: 'Resume' }).click();
    await visit.rows(30);
    // One look for both: the list goes on growing.
    const { said, listed } = await page.evaluate(() => ({
      said: Number(document.querySelector('#count')?.textContent?.replace(/\D/g, '')),
      listed: document.querySelectorAll('#messages > p').length,
    }));
    expect(said).toBe(listed);
  });

  it('is bounded, and what the reader looks at stays where it is', async () => {
    await using fast = await startHerald({ env: { HERALD_EVENTS_INTERVAL: '10ms' } });
    await using visit = await Visit.to(fast.url, on.browser);
    const { page } = visit;
    await visit.more(250);
    expect(await page.locator('#messages > p').count()).toBe(200);

    // Nothing may come while the reader scrolls: in a slow browser, what is looked at would leave the list before.
    fast.child.kill('SIGSTOP');
    await page.locator('#messages').hover();
    await page.mouse.wheel(0, -300);
    await waitUntil(page, () => {
      const list = document.querySelector('#messages');
      return list !== null && list.scrollHeight - list.clientHeight - list.scrollTop > 8;
    });
    // Its event comes with the next frame.
    await drawn(page);
    const topmost = await page.evaluateHandle(watchTopmost, 20);
    fast.child.kill('SIGCONT');
    const after = await topmost.evaluate((seen) => seen.after);
    const before = await topmost.evaluate((seen) => seen.before);
    expect(before).not.toBe('');
    expect(after).toBe(before);
    expect(await page.locator('#messages > p').count()).toBe(200);
  });
});

/** In the page: the row that is topmost on the screen, and the one that is after so many more rows have come. */
function watchTopmost(rows: number): { before: string; after: Promise<string> } {
  const list = document.querySelector('#messages');
  if (!list) throw new Error('there is no list');
  const topmost = (): string => {
    const { top } = list.getBoundingClientRect();
    const row = [...list.children].find((child) => child.getBoundingClientRect().bottom > top);
    return row?.textContent ?? '';
  };
  const after = new Promise<string>((resolve) => {
    let added = 0;
    const observer = new MutationObserver((changes) => {
      for (const { addedNodes } of changes) added += addedNodes.length;
      if (added < rows) return;
      observer.disconnect();
      resolve(topmost());
    });
    observer.observe(list, { childList: true });
  });
  return { before: topmost(), after };
}
