import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { connect, row, TOPIC } from './console-page.js';
import { stage } from './stage.js';
import { Visit } from './visit.js';
import { waitUntil } from './wait-until.js';

describeWith(chromium, 'the history in the console', (path) => {
  const on = stage(path, () => startHub());

  /** A log that begins with what is published from now on, before which 250 updates are held. */
  async function open(name: string): Promise<Visit> {
    await on.publisher.publishAll(
      Array.from({ length: 250 }, (_, index) => ({
        topic: TOPIC + name,
        data: `${name} ${index}.`,
        private: index === 249,
      })),
    );
    const visit = await Visit.to(`${on.herald.url}/#/console?topic=${TOPIC}${name}`, on.browser);
    await connect(visit.page, await subscriberToken(), '');
    return visit;
  }

  it('comes page by page above what is in sight, which stays where it is, until nothing older is held', async () => {
    await using visit = await open('pages');
    const { page } = visit;
    await on.publisher.publish({ topic: `${TOPIC}pages`, data: '"live"' });
    await row(page, 'live').waitFor();
    await page.locator('#log-older button').click();
    await page.locator('#log-older', { hasText: '100 older messages' }).waitFor();
    await row(page, 'pages 249.').waitFor();
    expect(await page.locator('#log-shown').textContent()).toBe('102 shown');
    const last = page.locator('.row').last();
    expect(await last.getAttribute('data-history')).toBeNull();
    expect(await last.textContent()).toContain('live');
    expect(await row(page, 'pages 249.').locator('.badge').textContent()).toBe('history');

    // The reader goes up to the beginning with the wheel, and what is there stays under the pointer.
    let measured = (): void => undefined;
    const isMeasured = new Promise<void>((resolve) => (measured = resolve));
    await page.route(
      '**/history?*',
      async (route) => {
        await isMeasured;
        await route.continue();
      },
      { times: 1 },
    );
    await page.locator('#log-rows').hover();
    await page.mouse.wheel(0, -5_000);
    await page.locator('#log-older[data-state="loading"]').waitFor();
    const before = await placeOf(page, 'pages 150.');
    measured();
    await page.locator('#log-shown', { hasText: '202' }).waitFor();
    expect(await placeOf(page, 'pages 150.')).toBe(before);
    expect(before).toBeDefined();
    await row(page, 'pages 148.').waitFor({ state: 'attached' });

    await page.locator('#log-rows').focus();
    for (let presses = 0; presses < 2; presses += 1) await page.keyboard.press('Home');
    await page.locator('#log-older[data-state="end"]', { hasText: 'Nothing older is held' }).waitFor();
    expect(await page.locator('#log-shown').textContent()).toBe('252 shown');
    await page.keyboard.press('Home');
    await row(page, 'pages 0.').waitFor();

    // What comes below moves nothing, either.
    const first = await placeOf(page, 'pages 0.');
    await on.publisher.publish({ topic: `${TOPIC}pages`, data: '"later"' });
    await page.locator('.jump', { hasText: '1 new' }).waitFor();
    expect(await placeOf(page, 'pages 0.')).toBe(first);
    await page.locator('#log-filter').fill('199.');
    await row(page, 'pages 199.').waitFor();
    expect(await page.locator('.row:not(.mark)').count()).toBe(1);
  });

  it('is there without a message, has its times, and is looked into and exported like everything else', async () => {
    await using visit = await open('empty');
    const { page } = visit;
    await page.locator('.log .empty').waitFor();
    await page.locator('#log-older button').press('Enter');
    await row(page, 'empty 249.').click();
    await page.locator('#detail-data', { hasText: 'empty 249.' }).waitFor();
    const time = await row(page, 'empty 249.').locator('.at').getAttribute('title');
    expect(Math.abs(Date.parse(time ?? '') - Date.now())).toBeLessThan(60_000);
    // Cleared, the log begins anew, and so does what is before it.
    await page.locator('#log-clear').click();
    await page.locator('.log .empty').waitFor();
    await page.locator('#log-older button').click();
    await row(page, 'empty 249.').waitFor();
  });

  it('follows the topics, and shows nothing private to who may not read it', async () => {
    await using visit = await open('others');
    const { page } = visit;
    await page.locator('#log-older button').click();
    await row(page, 'others 249.').waitFor();
    await page.locator('#second').click();
    const second = page.locator('.second');
    await second.getByRole('button', { name: 'Anonymous' }).click();
    await page.locator('#second-state[data-look="open"]').waitFor();
    await second.locator('#second-log-older button').click();
    await second.locator('.row', { hasText: 'others 248.' }).waitFor();
    expect(await second.locator('.row', { hasText: 'others 249.' }).count()).toBe(0);
  });

  it.each([
    [403, 'gives this reader no history (403)'],
    [404, 'gives no history'],
    [503, 'could not be read'],
  ])('is said not to be there at %s', async (status, sentence) => {
    await using visit = await open(`no-${status}`);
    const { page } = visit;
    await page.route('**/history?*', (route) => route.fulfill({ status, json: { code: 'any' } }));
    await page.locator('#log-older button').click();
    await page.locator('#log-older', { hasText: sentence }).waitFor();
    expect(await page.locator('#log-older button').count()).toBe(status === 503 ? 1 : 0);
  });
});

/** Where a row is on the screen, once the page has drawn what it was told. */
async function placeOf(page: Page, text: string): Promise<number | undefined> {
  await waitUntil(
    page,
    (wanted) => [...document.querySelectorAll('.row')].some((one) => one.textContent?.includes(wanted)),
    text,
  );
  return (await row(page, text).boundingBox())?.y;
}
