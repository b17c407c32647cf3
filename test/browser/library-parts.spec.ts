import { expect, it } from '@jest/globals';
import type { Route } from 'playwright-core';
import { subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { Tab } from './tab.js';
import { tabStage } from './tab-stage.js';
import { launch } from './visit.js';

/** Requests for a file of the library, which are held until the test says what becomes of them. */
class Held {
  private readonly routes: Route[] = [];
  private wake: (() => void) | undefined;

  add(route: Route): void {
    this.routes.push(route);
    this.wake?.();
  }

  /** The next one. */
  async next(): Promise<Route> {
    while (this.routes.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.routes.shift() as Route;
  }
}

const SHARES = ['auto', 'none'] as const;

describeWith(chromium, 'what the client library loads when it is needed', (path) => {
  const on = tabStage(() => launch(path));

  async function hold(file: string): Promise<Held> {
    const held = new Held();
    await on.context.route(`**/herald/${file}`, (route) => held.add(route));
    return held;
  }

  function open(token: string, share: (typeof SHARES)[number] = 'auto'): Promise<Tab> {
    return Tab.open(on.context, on.site.url, { token, share, topics: ['urn:ann', 'urn:bob'], isHasty: true });
  }

  function tokenOf(subject: string, expires = '1h'): Promise<string> {
    return subscriberToken({ subject, topics: [{ match: `urn:${subject}` }], expires });
  }

  /** The messages of ann, bob and all that a tab gets. */
  async function textsOf(tab: Tab): Promise<string[]> {
    for (const data of ['ann', 'bob']) await on.publisher.publish({ topic: `urn:${data}`, data, private: 'on' });
    await on.publisher.publish({ topic: 'urn:ann', data: 'all' });
    await tab.has('all');
    return tab.texts();
  }

  it.each(SHARES)('may come late: nothing is asked before the code for tokens is there (share: %s)', async (share) => {
    const held = await hold('tokens.js');
    const tab = await open(await tokenOf('ann'), share);
    const late = await held.next();
    expect(on.site.asked).toBe(0);
    await late.continue();
    await tab.is('open');

    expect(await textsOf(tab)).toEqual(['ann', 'all']);
    expect(await tab.errors()).toEqual([]);
  });

  it.each(SHARES)('is loaded again: the code for tokens that could not be had (share: %s)', async (share) => {
    const held = await hold('tokens.js');
    const tab = await open(await tokenOf('ann'), share);
    for (let count = 0; count < 3; count += 1) await (await held.next()).abort();
    await (await held.next()).continue();
    await tab.is('open');

    expect(await textsOf(tab)).toEqual(['ann', 'all']);
    expect(new Set(await tab.errors())).toEqual(new Set(['token-failed']));
  });

  it.each(SHARES)('reads with the token that was set while its code was on its way (share: %s)', async (share) => {
    const held = await hold('tokens.js');
    const tab = await open(await tokenOf('ann'), share);
    const late = await held.next();
    await tab.setToken(await tokenOf('bob'));
    await late.continue();
    await tab.is('open');

    expect(await textsOf(tab)).toEqual(['bob', 'all']);
    expect(await tab.reasons()).toEqual([]);
    expect(await tab.errors()).toEqual([]);
  });

  it('comes back from a refusal that it can not read, until it can', async () => {
    const held = await hold('refusal.js');
    const tab = await open(await tokenOf('ann', '-1m'));
    await (await held.next()).abort();
    await (await held.next()).abort();
    await tab.is('waiting');
    const late = await held.next();
    // An attempt that takes long is replaced, and told of as well.
    expect((await tab.errors())[0]).toBe('unauthorized');
    await late.continue();
    await tab.is('failed');
    expect(await tab.reasons()).toContain('unauthorized');
    // Half a minute is little where an attempt takes so long that it is replaced, which is after twenty seconds.
  }, 60_000);
});
