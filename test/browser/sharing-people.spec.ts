import { describe, expect, it } from '@jest/globals';
import { HUB, subscriberToken, type TokenOptions } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { Tab } from './tab.js';
import { tabStage } from './tab-stage.js';
import { launch } from './visit.js';

const ANN: TokenOptions = { subject: 'ann', topics: [{ match: 'urn:t' }] };
const BOB: TokenOptions = { subject: 'bob', topics: [{ match: 'urn:bob' }, { match: 'urn:t' }] };

/** What the tests put into a page that listens on a group's channel. */
interface SpyGlobals {
  heard: { message: { place?: { leader: string; number: number } } }[];
  channel: BroadcastChannel;
}

interface Spy {
  /** All that was said on the channel. */
  readonly heard: () => Promise<string>;
  /** Says a message that nobody has published, for this group; for the channel's own if that is empty. */
  readonly say: (group: string) => Promise<void>;
}

describeWith(chromium, 'tabs that share a connection, and who reads in them:', (path) => {
  const on = tabStage(() => launch(path));

  function open(token: string, topics = ['urn:t', 'urn:bob']): Promise<Tab> {
    return Tab.open(on.context, on.site.url, { token, topics });
  }

  async function publish(topic: string, data: string, isPrivate = false): Promise<void> {
    await on.publisher.publish({ topic, data, ...(isPrivate && { private: 'on' }) });
  }

  it('those of different people have a connection each, and each gets its own alone', async () => {
    const ann = await subscriberToken(ANN);
    const bob = await subscriberToken({ subject: 'bob', topics: [{ match: 'urn:bob' }] });
    const [first, second, other] = [await open(ann), await open(ann), await open(bob)];
    await publish('urn:t', 'for ann', true);
    await publish('urn:t', 'for all');
    for (const tab of [first, second, other]) await tab.has('for all');

    expect(await Promise.all([first, second, other].map((tab) => tab.texts()))).toEqual([
      ['for ann', 'for all'],
      ['for ann', 'for all'],
      ['for all'],
    ]);
    expect(on.site.streams.size).toBe(2);
  });

  it('those of one person with tokens for different topics get what each of them may read', async () => {
    const tokens = await Promise.all(
      ['urn:a', 'urn:a', 'urn:b'].map((match) => subscriberToken({ subject: 'ann', topics: [{ match }] })),
    );
    const tabs: Tab[] = [];
    for (const token of tokens) tabs.push(await open(token, ['urn:a', 'urn:b']));
    for (const topic of ['urn:a', 'urn:b']) await publish(topic, `secret of ${topic}`, true);
    await publish('urn:a', 'end');
    for (const tab of tabs) await tab.has('end');

    expect(await Promise.all(tabs.map((tab) => tab.texts()))).toEqual([
      ['secret of urn:a', 'end'],
      ['secret of urn:a', 'end'],
      ['secret of urn:b', 'end'],
    ]);
    expect(on.site.streams.size).toBe(2);
  });

  it('a subject says who reads where there is no token to tell', async () => {
    const one = await Tab.open(on.context, on.site.url, { subject: 'one' });
    const other = await Tab.open(on.context, on.site.url, { subject: 'other' });
    await publish('urn:t', '1');
    for (const tab of [one, other]) await tab.has('1');

    expect(on.site.streams.size).toBe(2);
  });

  it('a tab whose provider gives another person’s token leaves those that share before it reads with it', async () => {
    const brief = await subscriberToken({ ...ANN, expires: '3s' });
    const ann = await subscriberToken(ANN);
    const changing = await open(brief);
    const others = [await open(ann), await open(ann)];
    await changing.gives(await subscriberToken(BOB));
    await publish('urn:t', '1', true);
    await changing.has('1');
    // The hub ends the stream when the token expires, and the provider is asked for another.
    await on.site.has(2);
    await publish('urn:bob', 'secret of bob', true);
    await publish('urn:t', '2', true);
    for (const tab of [changing, ...others]) await tab.has('2');

    expect(await changing.texts()).toEqual(['1', 'secret of bob', '2']);
    for (const tab of others) expect(await tab.texts()).toEqual(['1', '2']);
    expect(await changing.reasons()).toEqual(['initial', 'expired']);
  });

  it.each([
    ['has the connection', 0],
    ['follows', 1],
  ])('so does a tab that sets another one’s token while it %s, and misses nothing', async (_what, index) => {
    const ann = await subscriberToken(ANN);
    const tabs = [await open(ann), await open(ann), await open(ann)];
    const changing = tabs[index] as Tab;
    const others = tabs.filter((tab) => tab !== changing);
    await publish('urn:t', '1', true);
    for (const tab of tabs) await tab.has('1');
    await changing.setToken(await subscriberToken(BOB));
    for (let count = 2; count <= 20; count += 1) {
      await publish('urn:bob', `secret ${count}`, true);
      await publish('urn:t', String(count), true);
    }
    for (const tab of tabs) await tab.has('20');
    const numbers = Array.from({ length: 20 }, (_, number) => String(number + 1));

    for (const tab of others) expect(await tab.texts()).toEqual(numbers);
    const texts = await changing.texts();
    expect(texts.filter((text) => !text.startsWith('secret'))).toEqual(numbers);
    expect(texts.filter((text) => text.startsWith('secret'))).toHaveLength(19);
    await on.site.has(2);
    await changing.setToken(ann);
    await on.site.has(1);
    await publish('urn:bob', 'secret again', true);
    await publish('urn:t', 'end', true);
    for (const tab of tabs) await tab.has('end');
    expect(await changing.texts()).not.toContain('secret again');
  });

  it('a token that is set also brings back a tab that had failed', async () => {
    const tab = await Tab.open(on.context, on.site.url, {
      token: await subscriberToken({ ...ANN, expires: '-1m' }),
      isHasty: true,
    });
    await tab.is('failed');
    expect(await tab.errors()).toEqual(['unauthorized']);
    await tab.setToken(await subscriberToken(ANN));
    await tab.is('open');
    await publish('urn:t', 'for ann', true);
    await tab.has('for ann');
  });

  it('a provider that fails at the start is asked again, and then the tab shares', async () => {
    const ann = await subscriberToken(ANN);
    const first = await open(ann);
    const second = await Tab.open(on.context, on.site.url, { token: '', isHasty: true });
    await second.is('waiting');
    await second.gives(ann);
    await second.is('open');
    await publish('urn:t', 'for ann', true);
    for (const tab of [first, second]) await tab.has('for ann');

    expect(new Set(await second.errors())).toEqual(new Set(['token-failed']));
    expect(on.site.streams.size).toBe(1);
  });

  it('a token is asked for once by a tab, and kept', async () => {
    const tab = await open(await subscriberToken(ANN));
    const { asked } = on.site;
    for (const stream of on.site.streams) stream.destroy();
    await on.site.until(() => on.site.asked > asked);
    await publish('urn:t', 'for ann', true);
    await tab.has('for ann');

    expect(await tab.reasons()).toEqual(['initial']);
  });

  describe('a tab that has failed', () => {
    it('reads by one that has not, and tries again when that is gone', async () => {
      const bad = await Tab.open(on.context, on.site.url, {
        token: await subscriberToken({ ...ANN, expires: '-1m' }),
        isHasty: true,
      });
      await bad.is('failed');
      const good = await open(await subscriberToken(ANN), ['urn:t']);
      await bad.is('open');
      await publish('urn:t', 'for ann', true);
      for (const tab of [good, bad]) await tab.has('for ann');
      expect(on.site.streams.size).toBe(1);
      const before = await bad.reasons();
      await good.page.close();
      await bad.is('failed');

      expect((await bad.reasons()).slice(before.length)).toEqual(['initial', 'unauthorized']);
    });

    it('does not wait for another that fails as well: each has tried', async () => {
      const stale = await subscriberToken({ ...ANN, expires: '-1m' });
      const tabs: Tab[] = [];
      for (let count = 0; count < 3; count += 1) {
        tabs.push(await Tab.open(on.context, on.site.url, { token: stale, isHasty: true }));
      }
      for (const tab of tabs) await tab.is('failed');
      for (const tab of tabs) expect(await tab.errors()).toEqual(['unauthorized']);
      // One that is told to try again fails again, and leaves the others as they are.
      const asked = await tabs[0]?.reasons();
      await tabs[0]?.reconnect();
      await tabs[0]?.wasAsked((asked?.length ?? 0) + 2);
      for (const tab of tabs) await tab.is('failed');
    });
  });

  /** A page that listens on the channel of the only group that there is. */
  async function spyOn(token: string): Promise<Spy> {
    const someone = await open(token);
    const page = await on.context.newPage();
    await page.goto(on.site.url);
    const name = await page.evaluate(async () => {
      const { held } = await navigator.locks.query();
      return held?.[0]?.name ?? '';
    });
    expect(name).toMatch(new RegExp(`^herald \\d+ ${on.site.url}${HUB} [0-9a-f]{32}\\.[0-9a-f]{32}$`, 'u'));
    await page.evaluate((group) => {
      const heard: unknown[] = [];
      const channel = new BroadcastChannel(group);
      channel.addEventListener('message', ({ data }) => heard.push(data));
      Object.assign(globalThis, { heard, channel });
    }, name);
    await someone.page.close();
    return {
      heard: () => page.evaluate(() => JSON.stringify((globalThis as unknown as SpyGlobals).heard)),
      say: (group) =>
        page.evaluate((of) => {
          const { channel, heard } = globalThis as unknown as SpyGlobals;
          const last = heard.findLast(({ message }) => message.place)?.message.place;
          const message = { id: of, type: 'message', data: `of ${of}`, topics: ['urn:t'], replayed: false };
          const relayed = { kind: 'messages', stream: '1', messages: [message], cursor: 'x' };
          const place = { leader: last?.leader, number: (last?.number ?? 0) + 1 };
          // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has none
          channel.postMessage({ group: of || channel.name, message: { kind: 'relay', place, relayed } });
        }, group),
    };
  }

  it('no token is ever said on the channel, also not when another tab takes over', async () => {
    const token = await subscriberToken({ subject: 'ann' });
    const spy = await spyOn(token);
    const leader = await open(token);
    const follower = await open(token);
    await publish('urn:t', '1');
    await follower.has('1');
    await leader.page.close();
    await publish('urn:t', '2');
    await follower.has('2');
    const heard = await spy.heard();

    expect(heard).toContain('urn%3At');
    expect(heard).toContain('"data":"1"');
    for (const part of token.split('.')) expect(heard).not.toContain(part);
  });

  it('what is said on the channel for another group is not heard', async () => {
    const token = await subscriberToken({ subject: 'ann' });
    const spy = await spyOn(token);
    await open(token);
    const follower = await open(token);
    await publish('urn:t', '1');
    await follower.has('1');
    await spy.say('another group');
    await spy.say('');
    await follower.has('of ');

    expect(await follower.texts()).toEqual(['1', 'of ']);
  });
});
