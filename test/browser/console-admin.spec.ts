import type { Locator, Page } from 'playwright-core';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { expect, it } from '@jest/globals';
import { ADMIN_KEY, adminToken, HUB, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { violationsOn } from './axe.js';
import { connectWith, looks, TOPIC } from './console-page.js';
import { Visit, type VisitOptions } from './visit.js';
import { isInSight } from './in-sight.js';
import { stage } from './stage.js';

const WIDTHS = [1920, 1440, 1000, 960, 768, 360];

describeWith(chromium, 'the console of an administrator', (path) => {
  const on = stage(path, () => startHub({ HERALD_ADMIN_KEY: ADMIN_KEY }));

  async function open(
    subject: string,
    administering: string,
    topic: string,
    options: VisitOptions = {},
  ): Promise<Visit> {
    const visit = await Visit.to(`${on.herald.url}/#/console?topic=${TOPIC}${topic}&panel=admin`, on.browser, options);
    await connectWith(visit.page, { reading: await subscriberToken({ subject }), administering });
    return visit;
  }

  it('keeps its columns where they are while connections come and go, and breaks topics between their words', async () => {
    await using visit = await open('root', await adminToken({ subject: 'root' }), 'a/rather/long/topic/of/many/words');
    const { page } = visit;
    const row = page.locator('.administration tr', { hasText: 'root' });
    await row.locator('summary').click();
    await row.locator('li').waitFor();
    const columns = (): Promise<number[]> =>
      page
        .locator('.administration thead th')
        .evaluateAll((cells) => cells.map((cell) => cell.getBoundingClientRect().left));
    const before = await columns();
    await using reader = await open('somebody-with-a-long-name-in-her-token', '', 'b');
    await page.locator('.administration tr', { hasText: 'somebody' }).waitFor();
    expect(await columns()).toEqual(before);
    // Each line of the topic begins behind a slash: no word of it is on two lines.
    const words = await row.locator('li').evaluate((item) =>
      [...item.childNodes].map((part) => {
        const range = document.createRange();
        range.selectNodeContents(part);
        return range.getClientRects().length;
      }),
    );
    expect(words.length).toBeGreaterThan(8);
    expect(Math.max(...words)).toBe(1);
    const buttons = page.locator('.administration tbody tr').first().locator('button');
    const boxes = await buttons.evaluateAll((all) => all.map((button) => button.getBoundingClientRect().toJSON()));
    const [one, other] = boxes as DOMRect[];
    expect(overlaps(one, other)).toBe(false);
    expect(await reader.page.locator('.chips li').count()).toBe(1);
  });

  it('has all of a row in sight, whatever the width', async () => {
    const subject = 'somebody-with-a-long-name@example.com';
    const topic = 'customers/4711/orders/1234567';
    await on.publisher.publish({ topic: `${TOPIC}${topic}` });
    await using visit = await open(subject, await adminToken({ subject: 'root' }), topic);
    const { page } = visit;
    const connection = page.locator('.administration tr', { hasText: subject });
    await connection.locator('summary').click();
    await connection.locator('li').waitFor();
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      expect({ width, unseen: await outOfSight(connection.locator('th, td, button, li')) }).toEqual({
        width,
        unseen: [],
      });
    }
    await page.locator('#tab-topics').click();
    const button = page.locator('.topic-list td button', { hasText: topic });
    await button.waitFor();
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      const unseen = await outOfSight(page.locator('.topic-list :is(th, td, button)'));
      expect({ width, unseen }).toEqual({ width, unseen: [] });
      // A topic has room for more than some letters a line.
      expect((await button.boundingBox())?.height).toBeLessThan(64);
    }
  });

  it('shows the processes and who is connected, and ends a connection, which comes back', async () => {
    await using reader = await open('ann', '', 'a');
    await using visit = await open('root', await adminToken({ subject: 'root' }), 'root');
    const { page } = visit;
    await page.locator('.processes li', { hasText: 'this one' }).waitFor();
    const row = page.locator('.administration tr', { hasText: 'ann' });
    await row.locator('summary', { hasText: '1' }).click();
    await row.locator('li', { hasText: `${TOPIC}a` }).waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await page.getByRole('button', { name: 'Disconnect: ann' }).click();
    await reader.page.locator('.row[data-mark="lost"]', { hasText: 'an administrator ended it' }).waitFor();
    await looks(reader.page, 'open');
    expect(await reader.page.locator('.facts').textContent()).toMatch(/Reconnects1/);
  });

  it('revokes what a subject holds once that is confirmed, and says so; then it is refused', async () => {
    await using reader = await open('bob', '', 'b');
    await using visit = await open('root', await adminToken({ subject: 'root' }), 'root');
    const { page } = visit;
    const button = page.getByRole('button', { name: 'Revoke subject: bob' });
    await button.click();
    const dialog = page.getByRole('dialog', { name: 'Revoke bob?' });
    await dialog.waitFor();
    expect(await violationsOn(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
    await looks(reader.page, 'open');

    await button.click();
    await page.locator('#confirm-act', { hasText: 'Revoke bob' }).click();
    await looks(reader.page, 'failed');
    await reader.page.locator('.problem', { hasText: 'The token was revoked. Paste another one.' }).waitFor();
    await page.locator('#admin-outcome', { hasText: 'Revoked: tokens of bob' }).waitFor();
    await button.waitFor({ state: 'detached' });
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(false);
  });

  it('names the connections of one subject apart', async () => {
    await using first = await open('eve', '', 'e');
    await using second = await open('eve', '', 'e');
    await using visit = await open('root', await adminToken({ subject: 'root' }), 'root');
    const buttons = visit.page.getByRole('button', { name: /^Disconnect: eve, connection \d+$/ });
    await buttons.nth(1).waitFor();
    const names = await buttons.evaluateAll((all) => all.map(({ ariaLabel }) => ariaLabel));
    expect(new Set(names).size).toBe(2);
    for (const { page } of [first, second]) await looks(page, 'open');
  });

  it('says which readers are slow', async () => {
    await using visit = await open('root', await adminToken({ subject: 'root' }), 'root');
    const request = get(`${on.herald.url}${HUB}?match=${encodeURIComponent(`${TOPIC}slow`)}`);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.pause();
    // It has no subject, and is the only one without.
    const row = visit.page.locator('.administration tr', { hasText: '127.0.0.1' });
    await row.waitFor();
    expect(await row.locator('.badge.bad').count()).toBe(0);
    // More than the kernel takes for somebody who does not read.
    const data = 'x'.repeat(200 * 1024);
    for (let index = 0; index < 80; index += 1) await on.publisher.publish({ topic: `${TOPIC}slow`, data });
    await row.locator('.badge.bad', { hasText: 'slow' }).waitFor();
    request.destroy();
    await row.waitFor({ state: 'detached' });
  });

  it('tells somebody else nothing, what it needs, and asks again only when told to', async () => {
    await using visit = await open('ann', '', 'a', { prepare: (page) => page.clock.install() });
    const { page } = visit;
    let asked = 0;
    page.on('request', (request) => (asked += request.url().includes('/admin/') ? 1 : 0));
    await page.locator('#panel', { hasText: 'Administration needs HERALD_ADMIN_KEY' }).waitFor();
    expect(await page.locator('.administration').count()).toBe(0);
    const before = asked;
    await page.locator('#admin-again').click();
    await expectSoon(() => asked > before);
    // Longer than the time between two questions of somebody who may ask.
    await page.clock.fastForward(10_000);
    await allAreCounted(page);
    const settled = asked;
    await page.clock.fastForward(10_000);
    await allAreCounted(page);
    expect(asked).toBe(settled);
    await page.locator('#console-disconnect').click();
    await connectWith(page, {
      reading: await subscriberToken({ subject: 'root' }),
      administering: await adminToken({ subject: 'root' }),
    });
    await page.locator('.administration').waitFor();
  });
});

/** Whether two boxes are less than four pixels from each other. */
function overlaps(one: DOMRect | undefined, other: DOMRect | undefined): boolean {
  if (!one || !other) return false;
  const isBeside = one.right + 4 <= other.left || other.right + 4 <= one.left;
  return !isBeside && !(one.bottom + 4 <= other.top || other.bottom + 4 <= one.top);
}

/** Requests are told of in their order: once this one is, those before it were. */
async function allAreCounted(page: Page): Promise<void> {
  await Promise.all([
    page.waitForRequest('**/health/live'),
    page.evaluate(async () => void (await fetch('/health/live'))),
  ]);
}

async function expectSoon(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** The texts of those that something cuts off. */
async function outOfSight(elements: Locator): Promise<(string | null)[]> {
  const texts: (string | null)[] = [];
  for (const element of await elements.all()) {
    if (!(await isInSight(element))) texts.push(await element.textContent());
  }
  return texts;
}
