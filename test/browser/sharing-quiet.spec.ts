import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startHub } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { launchAsPeopleHaveIt, WAYS } from './as-people.js';
import { LibrarySite } from './library-site.js';
import { Tab } from './tab.js';
import { stageFor } from './stage.js';

/**
 * Updates that are kept, enough of others to have all of them trimmed, and a quarter, after which the stream says where it
 * is. A leader that is killed may not have passed on the last of that.
 */
const KEPT = 160;
const OTHERS = 3 * KEPT;
const CHUNK = KEPT / 4;

interface Fate {
  readonly fate: string;
  readonly meet: (leader: Page) => Promise<unknown>;
  readonly isSurvived: boolean;
}

/** What becomes of the tab that has the connection. */
const FATES: readonly Fate[] = [
  { fate: 'stays', meet: () => Promise.resolve(), isSurvived: true },
  { fate: 'is closed', meet: (page) => page.close(), isSurvived: false },
  { fate: 'is killed', meet: crash, isSurvived: false },
];

async function crash(page: Page): Promise<void> {
  const crashed = page.waitForEvent('crash');
  page.goto('chrome://crash').catch(() => undefined);
  await crashed;
}

describeWith(chromium, 'tabs on whose connection nothing has come yet', (path) => {
  const on = stageFor(
    () => launchAsPeopleHaveIt(path),
    () => startHub({ HERALD_RETAIN_EVENTS: String(KEPT) }),
  );

  it.each(
    FATES.flatMap(({ fate, meet, isSurvived }) => WAYS.map(([way, host]) => ({ fate, meet, isSurvived, way, host }))),
  )(
    'get what is published while it is away, three that share it, when the leader $fate: by $way',
    async ({ meet, isSurvived, host }) => {
      await using site = await LibrarySite.before(on.herald);
      const context = await on.browser.newContext();
      const url = `http://${host}:${site.port}`;
      // The worker lives in the process of the tab that has asked for it first, and would be killed with that.
      const first = await Tab.open(context, url);
      const leader = await Tab.open(context, url);
      const others = [await Tab.open(context, url), await Tab.open(context, url)];
      const { asked } = site;
      await first.page.close();
      await site.until(() => site.asked > asked);
      for (let published = 0; published < OTHERS; published += CHUNK) {
        const { cursors } = site;
        for (let count = 0; count < CHUNK; count += 1) await on.publisher.publish({ topic: 'urn:busy', data: '' });
        await site.until(() => site.cursors > cursors);
      }
      site.goAway();
      await meet(leader.page);
      for (const data of ['1', '2', '3']) await on.publisher.publish({ topic: 'urn:t', data });
      site.comeBack();
      for (const tab of isSurvived ? [leader, ...others] : others) {
        await tab.has('3');
        expect(await tab.texts()).toEqual(['1', '2', '3']);
        expect(await tab.notices()).not.toContain('cursor');
      }
      await site.has(1);
      await context.close();
    },
    60_000,
  );

  it('so does a tab that reads by the browser’s own EventSource', async () => {
    await using site = await LibrarySite.before(on.herald);
    const context = await on.browser.newContext();
    const tab = await Tab.open(context, site.url, { transport: true });
    await site.until(() => site.cursors > 0);
    site.goAway();
    for (const data of ['1', '2', '3']) await on.publisher.publish({ topic: 'urn:t', data });
    site.comeBack();
    await tab.has('3');
    expect(await tab.texts()).toEqual(['1', '2', '3']);
    expect(await tab.notices()).not.toContain('cursor');
    await context.close();
  });

  it('so does a tab that is reloaded, if asked', async () => {
    await using site = await LibrarySite.before(on.herald);
    const context = await on.browser.newContext();
    const tab = await Tab.open(context, site.url, { resume: 'session' });
    await tab.page.goto('data:text/html,elsewhere');
    for (const data of ['1', '2', '3']) await on.publisher.publish({ topic: 'urn:t', data });
    await tab.page.goto(site.url);
    await tab.start({ resume: 'session' });
    await tab.has('3');
    expect(await tab.texts()).toEqual(['1', '2', '3']);
    await context.close();
  });
});
