import { expect, it } from '@jest/globals';
import { publisherToken, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { add, connect, MESSAGE, row, TOPIC } from './console-page.js';
import { Visit } from './visit.js';
import { stage } from './stage.js';

/** A pattern that browsers take, and the hub does not: it could take for ever. */
const REFUSED = '/x/(a|b(?=c))';

describeWith(chromium, 'what the console tells of the hub and the connection', (path) => {
  const on = stage(path, () => startHub({ HERALD_SUBSCRIPTIONS: 'true', HERALD_SUBSCRIPTIONS_GRACE: '1s' }));

  async function open(query: string): Promise<Visit> {
    const visit = await Visit.to(`${on.herald.url}/#/console${query}`, on.browser);
    await connect(visit.page, await subscriberToken({ subject: 'ann' }), await publisherToken());
    return visit;
  }

  it('says which process answers, and how long it has been silent', async () => {
    await using beating = await startHub({ HERALD_HEARTBEAT: '200ms' });
    await using visit = await Visit.to(`${beating.url}/#/console?topic=*&panel=charts`, on.browser);
    const { page } = visit;
    await connect(page, await subscriberToken(), '');
    const process = page.locator('.facts div', { hasText: /^Process/ });
    expect(await process.getAttribute('title')).toMatch(/^[0-9a-f]{16}$/);
    await page.locator('.ring').waitFor();
    await page.locator('#chart-marks', { hasText: /heartbeats \(ticks\): [1-9]/ }).waitFor();
  });

  it('says which topic is refused, and why, while the others go on', async () => {
    await using visit = await open(`?topic=${TOPIC}good`);
    const { page } = visit;
    await add(page, REFUSED, 'pattern');
    const chip = page.locator('.chips li', { hasText: REFUSED });
    expect(await chip.locator('.denied').textContent()).toBe('refused: 400 matcher-invalid');
    expect(await page.locator('.denied').count()).toBe(1);
    // A new stream is asked for without it, or nothing would come of the others.
    await page.locator('#console-cut').click();
    await page.locator('.row[data-mark="resumed"]').waitFor();
    expect(await page.locator('.problem').textContent()).toBe('');
    await on.publisher.publish({ topic: `${TOPIC}good`, data: '"still here"' });
    await row(page, 'still here').waitFor();
    await chip.getByRole('button').click();
    await page.locator('.denied').waitFor({ state: 'detached' });
  });

  it('takes no pattern that is none, whether it is connected or not', async () => {
    await using visit = await Visit.to(`${on.herald.url}/#/console?topic=*&pattern=(`, on.browser);
    const { page } = visit;
    const refuse = async (): Promise<void> => {
      await page.locator('#topic-text').fill('/:');
      await page.locator('#topic-kind').selectOption('pattern');
      await page.locator('.topics form button').click();
      await page.locator('#topic-help.notice', { hasText: 'This is no URL Pattern' }).waitFor();
      expect(await page.locator('.chips li').count()).toBe(1);
      await page.locator('#topic-text').fill('');
    };
    await refuse();
    await connect(page, await subscriberToken(), '');
    await refuse();
  });

  it('tells in words what its charts show', async () => {
    await using visit = await open(`?topic=${TOPIC}chart&panel=publish`);
    const { page } = visit;
    await page.locator('#publish-topic').fill(`${TOPIC}chart`);
    await page.locator('#publish-send').click();
    await page.locator(MESSAGE).waitFor();
    await page.locator('#console-cut').click();
    await page.locator('.row[data-mark="resumed"]').waitFor();
    await page.locator('#tab-charts').click();
    await page.locator('#chart-words', { hasText: 'p50' }).waitFor();
    await page.locator('#chart-words:not(:has-text("p50 –"))').waitFor();
    expect(await page.locator('#chart-words').textContent()).toMatch(/: 1 live, .* p50 [\d.]+ ms, p95 [\d.]+ ms$/);
    await page
      .locator('#chart-marks', { hasText: 'Lost connections in the last five minutes (high lines): 1;' })
      .waitFor();
    await page.locator('.chart canvas').nth(1).waitFor();
  });

  it('tells who is subscribed, as they come and go', async () => {
    await using visit = await open(`?topic=${TOPIC}seen&panel=subscribers`);
    const { page } = visit;
    const entry = page.locator('#people > li', { hasText: `${TOPIC}seen` });
    await entry.locator('.badge', { hasText: '1' }).waitFor();
    await entry.locator('.joined').waitFor({ state: 'detached' });
    {
      await using other = await open(`?topic=${TOPIC}seen`);
      await entry.locator('.joined', { hasText: 'came' }).waitFor();
      await entry.locator('> .badge', { hasText: '2' }).waitFor();
      expect(await other.page.locator('.chips li').count()).toBe(1);
    }
    await entry.locator('.left', { hasText: 'left' }).waitFor();
    await entry.locator('> .badge', { hasText: '1' }).waitFor();
    await entry.locator('.left').waitFor({ state: 'detached' });
  });

  it('begins with the newest, if asked', async () => {
    for (let n = 1; n <= 5; n += 1) await on.publisher.publish({ topic: `${TOPIC}last`, data: `"number ${n}"` });
    await using visit = await open('');
    const { page } = visit;
    await page.locator('#since').selectOption('last');
    await page.locator('#since-last').fill('2');
    await add(page, `${TOPIC}last`, 'exact');
    await row(page, 'number 5').waitFor();
    expect(await page.locator('.row .text').allTextContents()).toEqual(['"number 4"', '"number 5"']);
    expect(await page.locator('.row .badge').count()).toBe(2);
    expect(page.url()).toContain('since=%232');
    await page.locator('#console-cut').click();
    await page.locator('.row[data-mark="resumed"]').waitFor();
  });
});
