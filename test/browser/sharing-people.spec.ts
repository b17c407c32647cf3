import { expect, it } from '@jest/globals';
import { HUB, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { Tab } from './tab.js';
import { tabStage } from './tab-stage.js';
import { launch } from './visit.js';

describeWith(chromium, 'tabs that share a connection, and who reads in them:', (path) => {
  const on = tabStage(() => launch(path));

  it('those of different people have a connection each, and each gets its own alone', async () => {
    const ann = await subscriberToken({ subject: 'ann', topics: [{ match: 'urn:t' }] });
    const bob = await subscriberToken({ subject: 'bob', topics: [{ match: 'urn:bob' }] });
    const [first, second, other] = [
      await Tab.open(on.context, on.site.url, { token: ann }),
      await Tab.open(on.context, on.site.url, { token: ann }),
      await Tab.open(on.context, on.site.url, { token: bob }),
    ];
    await on.publisher.publish({ topic: 'urn:t', data: 'for ann', private: 'on' });
    await on.publisher.publish({ topic: 'urn:t', data: 'for all' });
    for (const tab of [first, second, other]) await tab.has('for all');

    expect(await Promise.all([first, second, other].map((tab) => tab.texts()))).toEqual([
      ['for ann', 'for all'],
      ['for ann', 'for all'],
      ['for all'],
    ]);
    expect(on.site.streams.size).toBe(2);
  });

  it('a subject says who reads where there is no token to tell', async () => {
    const one = await Tab.open(on.context, on.site.url, { subject: 'one' });
    const other = await Tab.open(on.context, on.site.url, { subject: 'other' });
    await on.publisher.publish({ topic: 'urn:t', data: '1' });
    for (const tab of [one, other]) await tab.has('1');

    expect(on.site.streams.size).toBe(2);
  });

  it('no token is ever said on the channel, also not when another tab takes over', async () => {
    const token = await subscriberToken({ subject: 'ann' });
    const spy = await on.context.newPage();
    await spy.goto(on.site.url);
    await spy.evaluate((name) => {
      const heard: unknown[] = [];
      const channel = new BroadcastChannel(name);
      channel.addEventListener('message', ({ data }) => heard.push(data));
      Object.assign(globalThis, { heard, channel });
    }, `herald 3 ${on.site.url}${HUB} as ann`);
    const leader = await Tab.open(on.context, on.site.url, { token });
    const follower = await Tab.open(on.context, on.site.url, { token });
    await on.publisher.publish({ topic: 'urn:t', data: '1' });
    await follower.has('1');
    await leader.page.close();
    await on.publisher.publish({ topic: 'urn:t', data: '2' });
    await follower.has('2');
    const heard = await spy.evaluate(() => JSON.stringify((globalThis as unknown as { heard: unknown[] }).heard));

    expect(heard).toContain('urn%3At');
    expect(heard).toContain('"data":"1"');
    for (const part of token.split('.')) expect(heard).not.toContain(part);
  });
});
