import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type Herald, startHerald } from '../support/herald.js';
import { chromium, describeWith } from '../support/programs.js';
import { StandIn } from './stand-in.js';
import { launch, Visit } from './visit.js';

const QUICK = { HERALD_EVENTS_INTERVAL: '100ms' };
const MISSED = /^The connection was away for .+: about [\d,]+ timestamps? (was|were) missed\.$/;

/** Enough messages for the page to know the interval. */
const ENOUGH = 6;

describeWith(chromium, 'the connection', (path) => {
  let browser: Browser;
  let heralds: Herald[] = [];

  beforeAll(async () => {
    browser = await launch(path);
  });

  afterAll(() => browser.close());

  afterEach(async () => {
    await Promise.all(heralds.map((herald) => herald[Symbol.asyncDispose]()));
    heralds = [];
  });

  async function start(env: Readonly<Record<string, string>>, port = 0): Promise<Herald> {
    const herald = await startHerald({ env, port });
    heralds.push(herald);
    return herald;
  }

  /** A page whose timers the test can hold and run. */
  async function visitByClock(): Promise<Visit> {
    const { url } = await start(QUICK);
    const visit = await Visit.to(url, browser, { prepare: (page) => page.clock.install() });
    await visit.rows(ENOUGH);
    return visit;
  }

  /** Has another server, which refuses every request, in place of the one that was started last. */
  async function refusing({ page }: Visit, status: number): Promise<StandIn> {
    const herald = heralds.at(-1);
    if (!herald) throw new Error('no server was started');
    await herald.kill('SIGKILL');
    const standIn = await StandIn.start(herald.port, status);
    await page.locator('#countdown').waitFor();
    return standIn;
  }

  it('is shown in words, icon and colour', async () => {
    const herald = await start(QUICK);
    await using visit = await Visit.to(herald.url, browser);
    await visit.looks('open');

    expect(await visit.page.locator('#connection').innerText()).toBe('Connected');
    expect(await visit.page.locator('#connection svg:visible').count()).toBe(1);
    expect(await visit.page.locator('#retry').isHidden()).toBe(true);
    expect(await visit.page.locator('#announcer').textContent()).toBe('Connected');
  });

  it('is renewed by the browser itself when a stream ends, which is no failure', async () => {
    const herald = await start({ ...QUICK, HERALD_MAX_AGE: '1500ms' });
    await using visit = await Visit.to(herald.url, browser, { prepare: countSources });
    await visit.rows(ENOUGH);
    await visit.page.evaluate(recordLooks);

    expect(await toldOfBreak(visit)).toMatch(MISSED);
    await visit.more(2);
    expect(await visit.page.evaluate(() => document.body.dataset)).toEqual({ sources: '1', looks: 'busy open' });
    expect(await visit.page.locator('#announcer').textContent()).toBe('Connected');
  });

  it('survives the server being killed and started again', async () => {
    const herald = await start(QUICK);
    await using visit = await Visit.to(herald.url, browser);
    await visit.rows(ENOUGH);
    await herald.kill('SIGKILL');
    await visit.looks('lost');
    expect(await visit.page.locator('#connection').innerText()).toBe('Connection lost');
    expect(await visit.page.locator('#announcer').textContent()).toBe('Connection lost');

    await start(QUICK, herald.port);
    await visit.looks('open');
    expect(await toldOfBreak(visit)).toMatch(MISSED);
    await visit.more(5);
  });

  it('says that the server restarts when the server says so', async () => {
    const herald = await start(QUICK);
    await using visit = await Visit.to(herald.url, browser);
    await visit.rows(ENOUGH);
    await herald.kill('SIGTERM');
    await visit.page.getByText('The server is restarting').first().waitFor();

    await start(QUICK, herald.port);
    await visit.looks('open');
    expect(await visit.page.locator('#connection').innerText()).toBe('Connected');
  });

  it('comes back where the browser has given up for good', async () => {
    const herald = await start(QUICK);
    await using visit = await Visit.to(herald.url, browser, { prepare: countSources });
    await visit.rows(ENOUGH);
    await herald.kill('SIGKILL');
    await using standIn = await StandIn.start(herald.port, 503);
    await visit.page.getByText(/^Next attempt in \d+ seconds?$/).waitFor();
    await standIn.stop();

    await start(QUICK, herald.port);
    await visit.looks('open');
    expect(await toldOfBreak(visit)).toMatch(MISSED);
    await visit.more(5);
    expect(Number(await visit.page.locator('body').getAttribute('data-sources'))).toBeGreaterThan(1);
  });

  it('is tried at once by the button', async () => {
    await using visit = await visitByClock();
    const { page } = visit;
    await using standIn = await refusing(visit, 503);
    // From here on no timer of the page fires: only the button can bring the stream back.
    await page.clock.pauseAt(Date.now() + 3_600_000);
    await page.locator('#countdown').waitFor();
    await standIn.stop();
    await start(QUICK, standIn.port);

    await page.locator('#retry').focus();
    await page.keyboard.press('Enter');
    await visit.looks('open');
    await visit.more(5);
    expect(await page.locator('#retry').isHidden()).toBe(true);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('messages');
  });

  it('is given up after many refusals, with an alert, and taken up again by the button', async () => {
    await using visit = await visitByClock();
    const { page } = visit;
    await using standIn = await refusing(visit, 404);
    while (!(await page.locator('#connection[data-look="failed"]').isVisible())) {
      // Longer than any delay of the page, and no longer than an attempt may take.
      await page.clock.fastForward(15_000);
    }
    expect(await page.getByRole('alert').innerText()).toMatch(/^The server keeps refusing the stream/);

    await standIn.stop();
    await start(QUICK, standIn.port);
    await page.locator('#retry').click();
    await visit.looks('open');
    expect(await page.getByRole('alert').innerText()).toBe('');
    await visit.more(5);
  });

  it('is let go while the browser puts the page aside, and taken up again afterwards', async () => {
    const herald = await start({ ...QUICK, LOG_LEVEL: 'debug' });
    await using visit = await Visit.to(herald.url, browser);
    await visit.rows(ENOUGH);
    await visit.page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
    await herald.waitForLog(/stream closed/);

    await visit.page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    await visit.looks('open');
    await visit.more(3);
    expect(await visit.page.locator('#connection').innerText()).toBe('Connected');
  });

  it('is not waited for when the network comes back', async () => {
    await using visit = await visitByClock();
    const { page } = visit;
    await using standIn = await refusing(visit, 503);
    await page.clock.pauseAt(Date.now() + 3_600_000);
    await page.locator('#countdown').waitFor();
    await standIn.stop();
    await start(QUICK, standIn.port);

    await page.evaluate(() => dispatchEvent(new Event('online')));
    await visit.looks('open');
    expect(await page.locator('#connection').innerText()).toBe('Connected');
  });
});

/** The last row that tells of a break, once there is one. */
async function toldOfBreak({ page }: Visit): Promise<string> {
  const row = page.locator('#messages > .break').last();
  await row.waitFor();
  return (await row.textContent()) ?? '';
}

/** Counts the `EventSource`s that the page makes, in `data-sources` of its body. */
function countSources(page: Page): Promise<unknown> {
  return page.addInitScript(() => {
    let sources = 0;
    globalThis.EventSource = class extends EventSource {
      constructor(url: string | URL, init?: EventSourceInit) {
        super(url, init);
        sources += 1;
        document.body.dataset['sources'] = String(sources);
      }
    };
  });
}

/** Notes how the connection looks from now on, in `data-looks` of the page's body. */
function recordLooks(): void {
  const connection = document.querySelector<HTMLElement>('#connection');
  const looks: string[] = [];
  const observer = new MutationObserver(() => {
    const look = connection?.dataset['look'] ?? '';
    if (looks.at(-1) !== look) looks.push(look);
    document.body.dataset['looks'] = looks.slice(-2).join(' ');
  });
  if (connection) observer.observe(connection, { attributeFilter: ['data-look'] });
}
