import { expect, it } from '@jest/globals';
import { startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { violationsOn } from './axe.js';
import { connect, row, TOPIC } from './console-page.js';
import { stage } from './stage.js';
import { Visit } from './visit.js';

describeWith(chromium, 'topics that are added in the console', (path) => {
  const on = stage(path, () => startHub());

  async function open(): Promise<Visit> {
    const visit = await Visit.to(`${on.herald.url}/#/console?topic=${TOPIC}first`, on.browser);
    await connect(visit.page, await subscriberToken(), '');
    return visit;
  }

  it('are proposed as a pattern where an exact topic looks like one', async () => {
    await using visit = await open();
    const { page } = visit;
    await page.locator('#topic-text').fill(`${TOPIC}orders/{id}`);
    await page.locator('#topic-text').press('Enter');
    await page.locator('.offer', { hasText: 'takes “{id}” literally' }).waitFor();
    expect(await page.locator('.chips li').count()).toBe(1);
    expect(await violationsOn(page)).toEqual([]);
    await page.locator('#topic-as-pattern').click();
    await page
      .locator('.chips li[data-kind="pattern"][data-state="live"]', { hasText: `${TOPIC}orders/:id` })
      .waitFor();
    await on.publisher.publish({ topic: `${TOPIC}orders/7`, data: '"seven"' });
    await row(page, 'seven').waitFor();
    expect(await page.locator('#topic-text').evaluate((element) => element === document.activeElement)).toBe(true);
  });

  it('are taken as they are if that was meant', async () => {
    await using visit = await open();
    const { page } = visit;
    await page.locator('#topic-text').fill(`${TOPIC}a*b`);
    await page.locator('#topic-text').press('Enter');
    await page.locator('#topic-as-exact').click();
    await page.locator('.chips li[data-kind="exact"]', { hasText: `${TOPIC}a*b` }).waitFor();
    await page.locator('.offer').waitFor({ state: 'detached' });
    // All topics are not a pattern.
    await page.locator('#topic-text').fill('*');
    await page.locator('#topic-text').press('Enter');
    await page.locator('.chips li').nth(2).waitFor();
    expect(await page.locator('.offer').count()).toBe(0);
  });
});
