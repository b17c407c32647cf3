import { readFile } from 'node:fs/promises';
import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { publisherToken, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { add, connect, MESSAGE, row, rows, TOPIC } from './console-page.js';
import { stage } from './stage.js';
import { Visit, type VisitOptions } from './visit.js';
import { waitUntil } from './wait-until.js';

describeWith(chromium, 'the log of the console', (path) => {
  const on = stage(path, () => startHub());

  async function open(query: string, options: VisitOptions = {}): Promise<Visit> {
    const visit = await Visit.to(`${on.herald.url}/#/console${query}`, on.browser, options);
    await connect(visit.page, await subscriberToken({ subject: 'ann' }), await publisherToken());
    return visit;
  }

  it('keeps what was paused while more comes than it holds, and says how much', async () => {
    await using visit = await open(`?topic=${TOPIC}pause`);
    const { page } = visit;
    for (const name of ['apple', 'pear']) await on.publisher.publish({ topic: `${TOPIC}pause`, data: `"${name}"` });
    await row(page, 'pear').waitFor();
    await page.locator('#log-pause').click();
    const many = Array.from({ length: 12_000 }, (_, index) => ({ topic: `${TOPIC}pause`, data: `"new ${index}"` }));
    await on.publisher.publishAll(many);
    await page.locator('#log-shown', { hasText: 'Paused · 12,000 new' }).waitFor({ timeout: 60_000 });
    expect(await page.locator(`${MESSAGE} .text`).allTextContents()).toEqual(['"apple"', '"pear"']);
    await page.locator('#log-filter').fill('apple');
    await row(page, 'pear').waitFor({ state: 'detached' });
    expect(await row(page, 'apple').count()).toBe(1);
    await page.locator('#log-filter').fill('');
    await page.locator('#log-pause').click();
    await row(page, '"new 11999"').waitFor();
    expect(await page.locator('#log .help, .log .help').first().textContent()).toMatch(
      /older messages were discarded$/,
    );
  }, 120_000);

  it('opens a message again that is selected already, and selects none at Escape', async () => {
    await using visit = await open(`?topic=${TOPIC}open`, { permissions: ['clipboard-read', 'clipboard-write'] });
    const { page } = visit;
    await on.publisher.publish({ topic: `${TOPIC}open`, data: '"to be opened"' });
    const one = row(page, 'to be opened');
    await one.click();
    await page.locator('#detail-data').waitFor();
    await page.locator('#tab-publish').click();
    await one.click();
    await page.locator('#detail-data', { hasText: 'to be opened' }).waitFor();
    await page.locator('#log-rows').press('Escape');
    await page.locator('#panel', { hasText: 'Choose a message' }).waitFor();
    expect(await page.locator('.row[aria-selected="true"]').count()).toBe(0);
    await page.locator('#log-curl').click();
    await page.locator('#log-curl', { hasText: 'Copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^curl -N .*\?match=/);
    await page.locator('#log-curl', { hasText: 'Copy as curl' }).waitFor();
  });

  it('says when copying has failed', async () => {
    await using visit = await open(`?topic=${TOPIC}copy`);
    const { page } = visit;
    await page.evaluate(() => {
      Reflect.deleteProperty(Navigator.prototype, 'clipboard');
      document.execCommand = () => false;
    });
    await page.locator('#log-curl').click();
    await page.locator('#log-curl', { hasText: 'did not allow copying' }).waitFor();
    expect(await page.locator('#console-announcer').textContent()).toBe('The browser did not allow copying');
  });

  it('shows characters that are not seen as symbols', async () => {
    await using visit = await open('?topic=*');
    const { page } = visit;
    await on.publisher.publish({ topic: `${TOPIC}bidi`, data: 'safe\u202Eevil\u0007\u001b[31m' });
    await row(page, 'safe⟨U+202E⟩evil␇␛[31m').click();
    await page.locator('#detail-data', { hasText: 'safe⟨U+202E⟩evil␇␛[31m' }).waitFor();
    expect(await page.locator('#console').textContent()).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
  });

  it('does not call live what comes while a topic is added replayed', async () => {
    await using visit = await open(`?topic=${TOPIC}steady&panel=charts`);
    const { page } = visit;
    const steady = new AbortController();
    const publishing = publishUntil(steady.signal, () =>
      on.publisher.publish({ topic: `${TOPIC}steady`, data: '"steady"' }),
    );
    for (const name of ['a', 'b', 'c']) await add(page, `${TOPIC}added/${name}`, 'exact');
    await page.locator('#log-filter').fill('topic:added');
    await untilAdded(page, () => on.publisher.publish({ topic: `${TOPIC}added/c`, data: '"added"' }));
    steady.abort();
    const count = await publishing;
    // The words tell of whole seconds, so all of it is in them a moment later.
    await waitUntil(page, allAreTold, count);
    expect(await page.locator('#chart-words').textContent()).toMatch(/ live, 0 replayed, /);
  });

  it('takes a message over into the form, to be changed and published again, as text too', async () => {
    await using visit = await open(`?topic=${TOPIC}again`);
    const { page } = visit;
    await on.publisher.publish({ topic: `${TOPIC}again`, type: 'greeting', data: 'hello, not JSON' });
    await row(page, 'not JSON').click();
    await page.locator('#detail-again').click();
    expect(await page.locator('#publish-topic').inputValue()).toBe(`${TOPIC}again`);
    expect(await page.locator('#publish-type').inputValue()).toBe('greeting');
    expect(await page.locator('#publish-as').inputValue()).toBe('text');
    await page.locator('#publish-topic').fill(`${TOPIC}again\n${TOPIC}other`);
    await page.locator('#publish-data').fill('<b>changed</b>');
    await page.locator('#publish-send').click();
    await rows(page, '<b>changed</b>', 1);
    await row(page, 'changed').click();
    expect(await page.locator('#detail-data').textContent()).toBe('<b>changed</b>');
    await page.locator('#detail-latency', { hasText: ' ms' }).waitFor();
  });

  it('exports private messages as private', async () => {
    await using visit = await open(`?topic=${TOPIC}export`);
    const { page } = visit;
    await on.publisher.publish({ topic: `${TOPIC}export`, data: '"public"' });
    await on.publisher.publish({ topic: `${TOPIC}export`, private: 'on', data: '"private"' });
    await row(page, '"private"').waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#log-export').click()]);
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { private: boolean }).private)).toEqual([false, true]);
  });
});

/** Returns how often it has published. */
async function publishUntil(end: AbortSignal, publish: () => Promise<string>): Promise<number> {
  let count = 0;
  for (; !end.aborted; count += 1) await publish();
  return count;
}

/** Whether the words of the charts tell of so many messages. Runs in the page. */
function allAreTold(count: number): boolean {
  const words = document.querySelector('#chart-words')?.textContent ?? '';
  const [, live = '', replayed = ''] = /: ([\d,]+) live, ([\d,]+) replayed/.exec(words) ?? [];
  return Number(live.replaceAll(',', '')) + Number(replayed.replaceAll(',', '')) >= count;
}

/** Publishes until it is shown. */
async function untilAdded(page: Page, publish: () => Promise<string>): Promise<void> {
  const added = row(page, '"added"').first();
  while ((await added.count()) === 0) {
    await publish();
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
}
