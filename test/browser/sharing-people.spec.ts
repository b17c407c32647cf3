import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser, BrowserContext } from 'playwright-core';
import type { Herald } from '../support/herald.js';
import { HUB, Publisher, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { LibrarySite } from './library-site.js';
import { Tab } from './tab.js';
import { launch } from './visit.js';

describeWith(chromium, 'tabs that share a connection, and who reads in them:', (path) => {
  let browser: Browser;
  let context: BrowserContext;
  let herald: Herald;
  let site: LibrarySite;
  let publisher: Publisher;

  beforeAll(async () => {
    browser = await launch(path);
    herald = await startHub();
  });
  afterAll(async () => {
    await browser.close();
    await herald[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    site = await LibrarySite.before(herald);
    publisher = await Publisher.of(herald);
    context = await browser.newContext();
  });
  afterEach(async () => {
    await context.close();
    publisher[Symbol.dispose]();
    await site[Symbol.asyncDispose]();
  });

  it('those of different people have a connection each, and each gets its own alone', async () => {
    const ann = await subscriberToken({ subject: 'ann', topics: [{ match: 'urn:t' }] });
    const bob = await subscriberToken({ subject: 'bob', topics: [{ match: 'urn:bob' }] });
    const [first, second, other] = [
      await Tab.open(context, site.url, { token: ann }),
      await Tab.open(context, site.url, { token: ann }),
      await Tab.open(context, site.url, { token: bob }),
    ];
    await publisher.publish({ topic: 'urn:t', data: 'for ann', private: 'on' });
    await publisher.publish({ topic: 'urn:t', data: 'for all' });
    for (const tab of [first, second, other]) await tab.has('for all');

    expect(await Promise.all([first, second, other].map((tab) => tab.texts()))).toEqual([
      ['for ann', 'for all'],
      ['for ann', 'for all'],
      ['for all'],
    ]);
    expect(site.streams.size).toBe(2);
  });

  it('a subject says who reads where there is no token to tell', async () => {
    const one = await Tab.open(context, site.url, { subject: 'one' });
    const other = await Tab.open(context, site.url, { subject: 'other' });
    await publisher.publish({ topic: 'urn:t', data: '1' });
    for (const tab of [one, other]) await tab.has('1');

    expect(site.streams.size).toBe(2);
  });

  it('no token is ever said on the channel, also not when another tab takes over', async () => {
    const token = await subscriberToken({ subject: 'ann' });
    const spy = await context.newPage();
    await spy.goto(site.url);
    await spy.evaluate((name) => {
      const heard: unknown[] = [];
      const channel = new BroadcastChannel(name);
      channel.addEventListener('message', ({ data }) => heard.push(data));
      Object.assign(globalThis, { heard, channel });
    }, `herald 2 ${site.url}${HUB} as ann`);
    const leader = await Tab.open(context, site.url, { token });
    const follower = await Tab.open(context, site.url, { token });
    await publisher.publish({ topic: 'urn:t', data: '1' });
    await follower.has('1');
    await leader.page.close();
    await publisher.publish({ topic: 'urn:t', data: '2' });
    await follower.has('2');
    const heard = await spy.evaluate(() => JSON.stringify((globalThis as unknown as { heard: unknown[] }).heard));

    expect(heard).toContain('urn%3At');
    expect(heard).toContain('"data":"1"');
    for (const part of token.split('.')) expect(heard).not.toContain(part);
  });
});
