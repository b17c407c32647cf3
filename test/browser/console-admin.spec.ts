import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { expect, it } from '@jest/globals';
import { ADMIN_KEY, adminToken, HUB, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { violationsOn } from './axe.js';
import { connect, looks, TOPIC } from './console-page.js';
import { Visit } from './visit.js';
import { stage } from './stage.js';

describeWith(chromium, 'the console of an administrator', (path) => {
  const on = stage(path, () => startHub({ HERALD_ADMIN_KEY: ADMIN_KEY }));

  async function open(subject: string, other: string, topic: string): Promise<Visit> {
    const visit = await Visit.to(`${on.herald.url}/#/console?topic=${TOPIC}${topic}&panel=admin`, on.browser);
    await connect(visit.page, await subscriberToken({ subject }), other);
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

  it('revokes what a subject holds, which is then refused', async () => {
    await using reader = await open('bob', '', 'b');
    await using visit = await open('root', await adminToken({ subject: 'root' }), 'root');
    await visit.page.getByRole('button', { name: 'Revoke subject: bob' }).click();
    await looks(reader.page, 'failed');
    expect(await reader.page.locator('.problem').textContent()).toContain('401');
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

  it('tells somebody else nothing', async () => {
    await using visit = await open('ann', '', 'a');
    await visit.page.locator('#panel', { hasText: 'For a token of an administrator' }).waitFor();
    expect(await visit.page.locator('.administration').count()).toBe(0);
  });
});

/** Whether two boxes are less than four pixels from each other. */
function overlaps(one: DOMRect | undefined, other: DOMRect | undefined): boolean {
  if (!one || !other) return false;
  const isBeside = one.right + 4 <= other.left || other.right + 4 <= one.left;
  return !isBeside && !(one.bottom + 4 <= other.top || other.bottom + 4 <= one.top);
}
