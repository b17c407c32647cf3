import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { startHerald } from '../support/herald.js';
import { Publisher, publisherToken, startHub, subscriberToken } from '../support/hub.js';
import { chromium, curl, describeWith } from '../support/programs.js';
import { violationsOn } from './axe.js';
import { add, connect, looks, MESSAGE, row, rows, TOPIC } from './console-page.js';
import { stage } from './stage.js';
import { Visit, type VisitOptions } from './visit.js';
import { waitUntil } from './wait-until.js';

const run = promisify(execFile);

const LOCALES = ['en-US', 'zh-CN'] as const;
const SCHEMES = ['light', 'dark'] as const;
const LOOKS = LOCALES.flatMap((locale) => SCHEMES.map((colorScheme) => ({ locale, colorScheme })));

describeWith(chromium, 'the console', (path) => {
  const on = stage(path, () => startHub({ HERALD_SUBSCRIPTIONS: 'true' }));
  const token = subscriberToken({ subject: 'ann' });

  /** Opens the console, and connects with tokens for everything. */
  async function open(query = '', options: VisitOptions = {}): Promise<Visit> {
    const visit = await Visit.to(`${on.herald.url}/#/console${query}`, on.browser, options);
    await connect(visit.page, await token, await publisherToken());
    return visit;
  }

  it('connects, shows what is published to its topics, and adds and removes topics on the stream', async () => {
    await using visit = await open(`?topic=${TOPIC}a`);
    const { page } = visit;
    await on.publisher.publish({ topic: `${TOPIC}a`, data: '"first"' });
    await row(page, 'first').waitFor();

    await add(page, '/orders/*', 'pattern');
    await on.publisher.publish({ topic: new URL('/orders/7', 'https://hub.example').href, data: '"elsewhere"' });
    await add(page, `${TOPIC}b`, 'exact');
    await page.locator('.chips li').nth(2).waitFor();
    await on.publisher.publish({ topic: `${TOPIC}b`, data: '"second"' });
    await row(page, 'second').waitFor();

    await page.locator('.chips li').first().getByRole('button').click();
    await on.publisher.publish({ topic: `${TOPIC}a`, data: '"unheard"' });
    await on.publisher.publish({ topic: `${TOPIC}b`, data: '"third"' });
    await row(page, 'third').waitFor();
    await page.locator('link[rel=icon][data-look=open]').waitFor({ state: 'attached' });
    expect(await row(page, 'unheard').count()).toBe(0);
  });

  it('shows a message that several of its topics match once', async () => {
    await using visit = await open(`?topic=*&topic=${TOPIC}twice`);
    const { page } = visit;
    await on.publisher.publish({ topic: `${TOPIC}twice`, data: '"once"' });
    await on.publisher.publish({ topic: `${TOPIC}twice`, data: '"end"' });
    await row(page, 'end').waitFor();
    expect(await row(page, 'once').count()).toBe(1);
    // What the stream says to the client alone is no message.
    expect(await row(page, 'cursor').count()).toBe(0);
  });

  it('shows markup in payloads, topics and types as text', async () => {
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await using visit = await open('?topic=*');
    const { page } = visit;
    const title = await page.title();
    await on.publisher.publish({ topic: `${TOPIC}${markup}`, type: '<b>bold</b>', data: JSON.stringify(markup) });
    await row(page, 'onerror').click();
    await page.locator('#detail-data').waitFor();
    expect(await page.locator('#detail-data').textContent()).toContain('<script>');
    expect(await page.locator('#console img, #console script, #console b').count()).toBe(0);
    expect(await page.title()).toBe(title);
  });

  it('publishes what is JSON, shows what became of it, and measures how long it took', async () => {
    await using visit = await open(`?topic=${TOPIC}own`);
    const { page } = visit;
    await page.locator('#publish-data').fill('{"half":');
    expect(await page.locator('#publish-send').isDisabled()).toBe(true);
    expect(await page.locator('#publish-mistake').textContent()).toMatch(/^Not JSON: /);
    await page.locator('#publish-data').fill('{"whole":true}');
    await page.locator('#publish-data').press('Control+Enter');
    await page.locator('#publish-outcome', { hasText: 'Published as urn:uuid:' }).waitFor();
    await page.locator('.row', { hasText: '"whole":true' }).locator('.extra', { hasText: ' ms' }).waitFor();

    await page.locator('#publish-id').fill('not an id\u0007');
    await page.locator('#publish-send').click();
    await page.locator('#publish-outcome.notice').waitFor();
  });

  it('shows how long a publication took also where its answer comes after the message', async () => {
    await using visit = await open(`?topic=${TOPIC}late`);
    const { page } = visit;
    await page.route('**/.well-known/mercure', async (route) => {
      const response = await route.fetch();
      await row(page, '"late":true').waitFor();
      await route.fulfill({ response });
    });
    await page.locator('#publish-data').fill('{"late":true}');
    await page.locator('#publish-send').click();
    const latency = row(page, '"late":true').locator('.extra', { hasText: ' ms' });
    await latency.waitFor();
    expect(await latency.textContent()).toMatch(/^[\d,.]+ ms$/);
  });

  it('says what the hub refuses, and goes on once that is put right', async () => {
    await using visit = await Visit.to(`${on.herald.url}/#/console?topic=${TOPIC}a`, on.browser);
    const { page } = visit;
    await connect(page, 'not.a.token', '', 'failed');
    await page.locator('.problem', { hasText: 'The token was refused' }).waitFor();
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await connect(page, await token, '');
    expect(await page.locator('.problem').textContent()).toBe('');
  });

  it('keeps its state in the address, without tokens, and takes it from there', async () => {
    await using visit = await open(`?topic=${TOPIC}a&filter=x&panel=charts`);
    const { page } = visit;
    expect(await page.locator('#log-filter').inputValue()).toBe('x');
    expect(await page.locator('#tab-charts').getAttribute('aria-selected')).toBe('true');
    await add(page, '/a/:id', 'pattern');
    await page.locator('#log-filter').fill('topic:a b&c');
    await waitUntil(page, () => location.hash.includes('topic%3Aa+b%26c'));
    const address = page.url();
    expect(address).toContain('pattern=%2Fa%2F%3Aid');
    for (const secret of [await token, await publisherToken()]) expect(address).not.toContain(secret);
    const stored = await page.evaluate(() =>
      JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie]),
    );
    expect(stored).not.toContain(await token);

    await page.reload();
    await page.locator('.chips li').nth(1).waitFor();
    expect(await page.locator('#log-filter').inputValue()).toBe('topic:a b&c');
    expect(await page.locator('#console-state').getAttribute('data-look')).toBe('idle');
  });

  it('filters, pauses without missing anything, and says how much waits', async () => {
    await using visit = await open('?topic=*');
    const { page } = visit;
    for (const name of ['apple', 'pear']) await on.publisher.publish({ topic: `${TOPIC}fruit`, data: `"${name}"` });
    await row(page, 'pear').waitFor();
    await page.locator('#log-filter').fill('APPLE topic:fruit');
    await row(page, 'pear').waitFor({ state: 'detached' });
    expect(await row(page, 'apple').count()).toBe(1);
    await page.locator('#log-filter').fill('');
    await page.locator('#log-pause').click();
    for (let index = 0; index < 5; index += 1)
      await on.publisher.publish({ topic: `${TOPIC}t`, data: `"late ${index}"` });
    await page.locator('#log-shown', { hasText: 'Paused · 5 new' }).waitFor();
    expect(await row(page, 'late').count()).toBe(0);
    await page.locator('#log-pause').click();
    await rows(page, 'late', 5);
  });

  it('marks where the connection was lost, and what was replayed after that', async () => {
    const mortal = await startHub();
    await using visit = await Visit.to(`${mortal.url}/#/console?topic=*`, on.browser);
    const { page } = visit;
    await connect(page, await subscriberToken(), '');
    using early = await Publisher.of(mortal);
    await early.publish({ topic: `${TOPIC}t`, data: '"before"' });
    await row(page, 'before').waitFor();
    await mortal.kill('SIGKILL');
    await page.locator('.row[data-mark="lost"]').waitFor();
    // Its journal was in memory: what the page has seen is not held any more, and the page is told.
    await using reborn = await startHub({}, mortal.port);
    await page.locator('.row[data-mark="gap"]', { hasText: /not all that was published in the .* away/ }).waitFor();
    using late = await Publisher.of(reborn);
    await late.publish({ topic: `${TOPIC}t`, data: '"later"' });
    await row(page, 'later').waitFor();
    await page.locator('.row[data-mark="resumed"]').waitFor();
    expect(await page.locator('.facts').textContent()).toMatch(/Reconnects1/);
  });

  it('cuts the stream if asked, comes back by itself, and has what was missed', async () => {
    await using visit = await open(`?topic=${TOPIC}cut`);
    const { page } = visit;
    const last = await on.publisher.publish({ topic: `${TOPIC}cut`, data: '"before"' });
    await row(page, 'before').waitFor();
    await page.locator('#console-cut').click();
    await page.locator('.row[data-mark="lost"]', { hasText: 'the network broke' }).waitFor();
    await on.publisher.publish({ topic: `${TOPIC}cut`, data: '"meanwhile"' });
    await page.locator('.row[data-mark="resumed"]', { hasText: `: 1 replayed, from what follows ${last}` }).waitFor();
    await row(page, 'meanwhile').waitFor();
    expect(await page.locator('.row .extra').allTextContents()).toEqual(['', 'replayed']);
    expect(await page.locator(MESSAGE).count()).toBe(2);
    expect(await page.locator('.facts').textContent()).toMatch(/Reconnects1/);
  });

  it('keeps what is being written, and what was published to be published again', async () => {
    await using visit = await open(`?topic=${TOPIC}again`);
    const { page } = visit;
    for (const data of ['{"turn":1}', '{"turn":2}', '{"turn":1}']) {
      await page.locator('#publish-data').fill(data);
      const answer = page.waitForResponse((response) => response.request().method() === 'POST');
      await page.locator('#publish-send').click();
      await answer;
      await page.locator('#publish-send:not([disabled])').waitFor();
    }
    await page.locator('#publish-data').fill('{"turn":');
    // The panel changes to the message, and back.
    await row(page, '"turn":2').click();
    await page.locator('#tab-publish').click();
    expect(await page.locator('#publish-data').inputValue()).toBe('{"turn":');
    expect(await page.locator('.past li').count()).toBe(2);
    await page.locator('.past button', { hasText: '"turn":2' }).click();
    expect(await page.locator('#publish-data').inputValue()).toBe('{"turn":2}');
    await page.locator('#publish-send').click();
    await rows(page, '"turn":2', 2);
  });

  it('has a second reader beside itself, who is somebody else with the same topics', async () => {
    await using visit = await open(`?topic=${TOPIC}two`);
    const { page } = visit;
    expect(await page.locator('.facts').textContent()).toMatch(/^Asann/);
    await page.locator('#second').click();
    const second = page.locator('.second');
    await second.getByRole('button', { name: 'Anonymous' }).click();
    await page.locator('#second-state[data-look="open"]').waitFor();
    expect(await second.locator('.facts').textContent()).toMatch(/^AsAnonymous/);
    await add(page, `${TOPIC}later`, 'exact');
    const first = page.locator('section[aria-labelledby="log-title"] .row');
    await on.publisher.publish({ topic: `${TOPIC}two`, private: 'on', data: '"secret"' });
    await on.publisher.publish({ topic: `${TOPIC}two`, data: '"for all"' });
    await first.filter({ hasText: 'secret' }).waitFor();
    await second.locator('.row', { hasText: 'for all' }).waitFor();
    expect(await second.locator('.row', { hasText: 'secret' }).count()).toBe(0);

    // The two streams are asked for the new topic at their own times.
    await untilShown(page, second, () => on.publisher.publish({ topic: `${TOPIC}later`, data: '"added"' }));
    await second.locator('.row', { hasText: 'for all' }).click();
    expect(await page.locator('#detail-data').textContent()).toContain('for all');

    await page.reload();
    await page.locator('#second-state[data-look="idle"]').waitFor();
    await page.locator('#second-close').click();
    await second.waitFor({ state: 'detached' });
    expect(page.url()).not.toContain('second');
  });

  it('gives the commands that it offers in a form that works', async () => {
    if (curl.path === undefined) throw new Error('curl is missing: apt-get install curl');
    const text = `it's "quoted" $HOME \`id\` \\ & é`;
    await using visit = await open(`?topic=${TOPIC}curl`, { permissions: ['clipboard-read', 'clipboard-write'] });
    const { page } = visit;
    await on.publisher.publish({ topic: `${TOPIC}curl`, type: 'it’s', data: JSON.stringify({ text }) });
    await page.locator('.row', { hasText: 'quoted' }).click();
    await page.locator('#log-curl').click();
    await page.locator('#console-announcer', { hasText: 'Copied' }).waitFor();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    expect(command).toContain('$HERALD_TOKEN');
    await run('/bin/sh', ['-c', command], { env: { PATH: process.env['PATH'], HERALD_TOKEN: await publisherToken() } });
    await rows(page, 'quoted', 2);
    await page.locator('.row', { hasText: 'quoted' }).nth(1).click();
    expect(JSON.parse((await page.locator('#detail-data').textContent()) ?? '')).toEqual({ text });
  });

  it('can be used with the keyboard alone: subscribe, publish, look, export', async () => {
    await using visit = await open();
    const { page } = visit;
    const { keyboard } = page;
    await tabTo(page, '#topic-text');
    await keyboard.type(`${TOPIC}keys`);
    await keyboard.press('Enter');
    await page.locator('.chips li').waitFor();
    await tabTo(page, '#publish-topic');
    await keyboard.press('Control+A');
    await keyboard.type(`${TOPIC}keys`);
    await tabTo(page, '#publish-data');
    await keyboard.press('Control+Enter');
    await page.locator(MESSAGE).waitFor();
    await tabTo(page, '#log-rows', 'Shift+Tab');
    await keyboard.press('ArrowUp');
    await page.locator('#detail-frame', { hasText: 'data: ' }).waitFor();
    await tabTo(page, '#log-export', 'Shift+Tab');
    const [download] = await Promise.all([page.waitForEvent('download'), keyboard.press('Enter')]);
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { topic: string }).topic)).toEqual([`${TOPIC}keys`]);
  });

  it.each(LOOKS)('is accessible: $locale, $colorScheme', async (look) => {
    await using visit = await open('?topic=*', { ...look, reducedMotion: 'no-preference' });
    const { page } = visit;
    await on.publisher.publish({ topic: `${TOPIC}t`, data: '{"a":1}' });
    await page.locator(MESSAGE).first().click();
    for (const panel of ['publish', 'detail', 'charts', 'subscribers', 'admin']) {
      await page.locator(`#tab-${panel}`).click();
      expect({ panel, violations: await violationsOn(page) }).toEqual({ panel, violations: [] });
    }
    await page.locator('#second').click();
    expect(await violationsOn(page)).toEqual([]);
    for (const width of [360, 768, 1440]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
      await page.screenshot({ path: `test-results/console-${width}-${look.colorScheme}-${look.locale}.png` });
    }
  });

  it('connects with one click in development', async () => {
    await using development = await startHerald();
    await using visit = await Visit.to(`${development.url}/#/console?topic=*`, on.browser);
    const { page } = visit;
    await page.getByRole('button', { name: /^Developer/ }).click();
    await looks(page, 'open');
    await page.locator('#publish-send').click();
    await row(page, 'hello').waitFor();
    expect(page.url()).not.toContain('eyJ');
  });
});

/** Publishes until it is shown to the second reader, whose stream may be asked for its topics later than the first. */
async function untilShown(page: Page, second: Locator, publish: () => Promise<string>): Promise<void> {
  const added = second.locator('.row', { hasText: 'added' });
  while ((await added.count()) === 0) {
    await publish();
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
}

/** Presses the key until the element has the focus. */
async function tabTo(page: Page, selector: string, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    if (await page.locator(selector).evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${selector} can't be reached with ${key}`);
}
