import { beforeEach, expect, it } from '@jest/globals';
import { chromium, describeWith } from '../support/programs.js';
import { INTRANET, launchAsPeopleHaveIt, WAYS } from './as-people.js';
import { getStuck } from './library-site.js';
import { Tab, type TabOptions } from './tab.js';
import { tabStage } from './tab-stage.js';

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

describeWith(chromium, 'tabs that share a connection', (path) => {
  const on = tabStage(() => launchAsPeopleHaveIt(path));
  let published: number;

  beforeEach(() => {
    published = 0;
  });

  async function openTabs(count: number, options?: TabOptions, url = on.site.url): Promise<Tab[]> {
    const tabs: Tab[] = [];
    for (let index = 0; index < count; index += 1) {
      tabs.push(await Tab.open(on.context, url, options));
    }
    return tabs;
  }

  async function publish(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      published += 1;
      await on.publisher.publish({ topic: 'urn:t', data: String(published) });
    }
  }

  async function expectAll(tabs: readonly Tab[]): Promise<void> {
    for (const tab of tabs) await tab.has(String(published));
    for (const tab of tabs) expect(await tab.texts()).toEqual(range(1, published));
  }

  it('have one stream, get every message once, and leave room for other requests', async () => {
    const tabs = await openTabs(8);
    await publish(50);
    await expectAll(tabs);
    expect(on.site.streams.size).toBe(1);
    const status = await tabs[7]?.page.evaluate(
      async () => (await fetch('/health/live', { credentials: 'omit' })).status,
    );
    expect(status).toBe(200);
  });

  it('would use up the connections of HTTP/1.1 otherwise', async () => {
    const [tab] = await openTabs(6, { share: 'none' });
    await on.site.has(6);
    // Chromium counts requests without cookies by themselves, as the streams are.
    const seventh = tab?.page.evaluate(async () => {
      await fetch('/health/live', { credentials: 'omit', signal: AbortSignal.timeout(1_500) });
    });

    await expect(seventh).rejects.toThrow('TimeoutError');
  });

  it('get what each of them wants', async () => {
    const [one] = await openTabs(1, { topics: ['urn:a'] });
    const [other] = await openTabs(1, { topics: ['urn:b', 'urn:both'] });
    await on.publisher.publish({ topic: 'urn:a', data: 'a' });
    await on.publisher.publish({ topic: 'urn:b', data: 'b' });
    await on.publisher.publish({ topic: ['urn:both', 'urn:a'], data: 'both' });
    await one?.has('both');
    await other?.has('both');

    expect(await one?.texts()).toEqual(['a', 'both']);
    expect(await other?.texts()).toEqual(['b', 'both']);
    await on.site.has(1);
  });

  it('are taken over from a leader that is closed', async () => {
    const [leader, ...others] = await openTabs(4);
    await publish(10);
    await leader?.page.close();
    await publish(10);
    await expectAll(others);
    await on.site.has(1);
  });

  it('are taken over from a leader that crashes', async () => {
    const [leader, ...others] = await openTabs(3);
    await publish(10);
    leader?.page.goto('chrome://crash').catch(() => undefined);
    await publish(10);
    await expectAll(others);
    await on.site.has(1);
  });

  it.each(WAYS)(
    'are taken over from a leader that is stuck, which follows when it is back: by %s',
    async (_, host) => {
      const [leader, ...others] = await openTabs(3, {}, `http://${host}:${on.site.port}`);
      if (!leader) throw new Error('no leader');
      await publish(5);
      const asked = on.site.asked;
      const stuck = leader.page.evaluate(getStuck);
      await on.site.until(() => on.site.asked > asked);
      await publish(5);
      await expectAll(others);
      on.site.release();
      await stuck;
      await publish(5);
      await expectAll([leader, ...others]);
      await on.site.has(1);
    },
    60_000,
  );

  it.each(WAYS)(
    'are taken over from a leader that is frozen, and misses nothing when it thaws: by %s',
    async (_, host) => {
      const [leader, ...others] = await openTabs(3, {}, `http://${host}:${on.site.port}`);
      if (!leader) throw new Error('no leader');
      await publish(5);
      const session = await on.context.newCDPSession(leader.page);
      await session.send('Page.setWebLifecycleState', { state: 'frozen' });
      await publish(5);
      await expectAll(others);
      await session.send('Page.setWebLifecycleState', { state: 'active' });
      await publish(5);
      await expectAll([leader, ...others]);
      await on.site.has(1);
    },
  );

  it('are taken over from a leader that the browser has put aside, which misses nothing when it is back', async () => {
    const [leader] = await openTabs(1, { reports: true });
    const others = await openTabs(2);
    await publish(5);
    await leader?.page.goto(`${on.site.url}/health/live`);
    await publish(5);
    await expectAll(others);
    // Playwright does not see a page again that comes out of the cache. It is there, and nothing else knows its client.
    await leader?.page.evaluate(() => {
      setTimeout(() => history.back());
    });
    await publish(5);
    // They come in any order.
    await on.site.until(() => on.site.reports.length >= published);
    expect(on.site.reports.toSorted((a, b) => Number(a) - Number(b))).toEqual(range(1, published));
    await on.site.has(1);
  });

  it('lose and double nothing when the hub is away for nine seconds', async () => {
    const tabs = await openTabs(3);
    await publish(5);
    on.site.goAway();
    await publish(20);
    await new Promise((resolve) => setTimeout(resolve, 9_000));
    on.site.comeBack();
    await expectAll(tabs);
    await publish(5);
    await expectAll(tabs);
    await on.site.has(1);
  }, 60_000);

  it('share by the worker that Herald serves where Web Locks are missing, under its strict policy', async () => {
    await on.site.takePolicy();
    const url = `http://${INTRANET}:${on.site.port}`;
    const tabs = await openTabs(4, {}, url);
    expect(await tabs[0]?.page.evaluate(() => 'locks' in navigator)).toBe(false);
    await publish(10);
    await expectAll(tabs);
    expect(on.site.streams.size).toBe(1);
    const [leader, ...others] = tabs;
    await leader?.page.close();
    await publish(10);
    await expectAll(others);
    await on.site.has(1);
    others[0]?.page.goto('chrome://crash').catch(() => undefined);
    await publish(10);
    await expectAll(others.slice(1));
    await on.site.has(1);
  }, 60_000);

  it('go on over a reload from where they were, if asked', async () => {
    const [tab] = await openTabs(1, { resume: 'session' });
    if (!tab) throw new Error('no tab');
    await publish(3);
    await tab.has('3');
    await tab.page.goto('data:text/html,elsewhere');
    await publish(3);
    await tab.page.goto(on.site.url);
    await tab.start({ resume: 'session' });
    await publish(1);
    await tab.has('7');

    expect(await tab.texts()).toEqual(range(4, 7));
  });
});
