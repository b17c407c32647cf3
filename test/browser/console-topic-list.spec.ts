import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { ADMIN_KEY, adminToken, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { connect, connectWith, TOPIC } from './console-page.js';
import { stage } from './stage.js';
import { Visit } from './visit.js';
import { waitUntil } from './wait-until.js';

describeWith(chromium, 'the topics in the console', (path) => {
  const on = stage(path, () => startHub({ HERALD_ADMIN_KEY: ADMIN_KEY }));

  async function open(query: string, administering: string): Promise<Visit> {
    const visit = await Visit.to(`${on.herald.url}/#/console?panel=topics${query}`, on.browser);
    await connectWith(visit.page, { reading: await subscriberToken({ subject: 'ann' }), administering });
    return visit;
  }

  it('are those that the hub holds, for an administrator, who sorts, searches and follows them by the keyboard', async () => {
    for (const [name, count] of [
      ['few', 1],
      ['many', 3],
      ['some', 2],
    ] as const)
      for (let n = 0; n < count; n += 1) await on.publisher.publish({ topic: `${TOPIC}list/${name}`, data: '1' });
    await using visit = await open('', await adminToken());
    const { page } = visit;
    const { keyboard } = page;
    await page.locator('#topic-source[data-source="hub"]').waitFor();
    await page.locator('#topic-search').fill('LIST/');
    await shows(page, ['some', 'many', 'few']);
    await page.getByRole('button', { name: 'Updates' }).press('Enter');
    await shows(page, ['many', 'some', 'few']);
    expect(await page.locator('.topic-list th').nth(1).getAttribute('aria-sort')).toBe('descending');
    await keyboard.press('Enter');
    await shows(page, ['few', 'some', 'many']);
    expect(await page.locator('.topic-list tr', { hasText: 'many' }).textContent()).toContain('3');

    for (const _column of ['rate', 'last', 'few', 'some', 'many']) await keyboard.press('Tab');
    await keyboard.press('Enter');
    await page.locator('.chips li', { hasText: `${TOPIC}list/many` }).waitFor();
    await page.locator('.topic-list button[aria-pressed="true"]', { hasText: 'many' }).waitFor();
    await page.locator('#console-announcer', { hasText: 'is followed' }).waitFor();
    await page.locator('#console-state[data-look="open"]').waitFor();
    await on.publisher.publish({ topic: `${TOPIC}list/many`, data: '"followed"' });
    await page.locator('.row', { hasText: 'followed' }).waitFor();
    // The rate is what has come since the list before.
    await page
      .locator('.topic-list tr', { hasText: 'many' })
      .locator('td:nth-child(3)', { hasText: /0\.[1-9]/ })
      .waitFor();
    await keyboard.press('Enter');
    await page.locator('.chips li').waitFor({ state: 'detached' });
    expect(page.url()).not.toContain('list');
  });

  it('come in pages, and stay where they are while somebody points at them', async () => {
    await on.publisher.publishAll(
      Array.from({ length: 60 }, (_, index) => ({ topic: `${TOPIC}paged/${String(index).padStart(2, '0')}`, data: 1 })),
    );
    await using visit = await open('', await adminToken());
    const { page } = visit;
    await page.locator('#topic-search').fill('paged/');
    const rows = page.locator('.topic-list tbody tr');
    await waitUntil(page, () => document.querySelectorAll('.topic-list tbody tr').length === 50);
    await page.getByRole('button', { name: 'Topic', exact: true }).click();
    expect(await rows.first().textContent()).toContain('paged/00');
    await page.getByRole('button', { name: 'Next' }).click();
    expect(await rows.count()).toBe(10);
    expect(await rows.first().textContent()).toContain('paged/50');
    await page.getByRole('button', { name: 'Previous' }).click();

    await page.getByRole('button', { name: 'Updates' }).click();
    await rows.first().hover();
    await on.publisher.publish({ topic: `${TOPIC}paged/07`, data: '2' });
    const seventh = rows.nth(7);
    await seventh.locator('td:nth-child(2)', { hasText: '2' }).waitFor();
    expect(await seventh.textContent()).toContain('paged/07');
    await page.mouse.move(0, 0);
    await rows.first().locator('button', { hasText: 'paged/07' }).waitFor();
  });

  it('are those of the log for everybody else, and then the hub is not asked again', async () => {
    let asked = 0;
    await using visit = await Visit.to(`${on.herald.url}/#/console?panel=topics&topic=${TOPIC}own`, on.browser, {
      prepare: (page) => {
        page.on('request', (request) => (asked += Number(request.url().includes('/admin/topics'))));
        return Promise.resolve();
      },
    });
    const { page } = visit;
    await connect(page, await subscriberToken(), '');
    asked = 0;
    await page.locator('#topic-source[data-source="session"]', { hasText: 'to administrators alone' }).waitFor();
    const count = page.locator('.topic-list tr', { hasText: `${TOPIC}own` }).locator('td:nth-child(2)');
    for (const number of ['1', '2', '3']) {
      await on.publisher.publish({ topic: `${TOPIC}own`, data: number });
      // Each number is that of another look.
      await count.filter({ hasText: number }).waitFor();
    }
    expect(asked).toBeLessThanOrEqual(1);
    expect(await page.locator('.topic-list').textContent()).not.toContain('list/many');
  });
});

/** Resolves once the list has these topics in this order. */
function shows(page: Page, names: readonly string[]): Promise<void> {
  const have = (wanted: readonly string[]): boolean => {
    const buttons = [...document.querySelectorAll('.topic-list td button')];
    return buttons.map((one) => one.textContent?.split('/').at(-1)).join() === wanted.join();
  };
  return waitUntil(page, have, names);
}
