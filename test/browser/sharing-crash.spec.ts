import { expect, it } from '@jest/globals';
import { chromium, describeWith } from '../support/programs.js';
import { INTRANET, launchAsPeopleHaveIt } from './as-people.js';
import { Tab } from './tab.js';
import { tabStage } from './tab-stage.js';

describeWith(chromium, 'tabs whose worker dies with the tab that it ran in', (path) => {
  const on = tabStage(() => launchAsPeopleHaveIt(path));
  let published = 0;

  async function open(): Promise<Tab> {
    return Tab.open(on.context, `http://${INTRANET}:${on.site.port}`);
  }

  async function crash({ page }: Tab): Promise<void> {
    const crashed = page.waitForEvent('crash');
    page.goto('chrome://crash').catch(() => undefined);
    await crashed;
  }

  async function publish(): Promise<string> {
    published += 1;
    await on.publisher.publish({ topic: 'urn:t', data: String(published) });
    return String(published);
  }

  it('elect anew when that tab had the connection, and miss nothing', async () => {
    published = 0;
    const first = await open();
    const others = [await open(), await open()];
    for (let count = 0; count < 3; count += 1) await publish();
    await crash(first);
    for (let count = 0; count < 3; count += 1) await publish();
    const last = await publish();
    for (const tab of others) await tab.has(last);
    await on.site.has(1);
    const more = await publish();
    for (const tab of others) await tab.has(more);

    for (const tab of others) {
      expect(await tab.texts()).toEqual(Array.from({ length: published }, (_, index) => String(index + 1)));
      expect(await tab.errors()).toEqual([]);
    }
  }, 60_000);

  it('elect anew when another tab has the connection, and the next one too', async () => {
    published = 0;
    // The worker stays where it is when its tab only gives up the connection.
    const host = await open();
    const tabs = [await open(), await open(), await open()];
    await host.page.evaluate(() => (globalThis as unknown as { client: { dispose(): void } }).client.dispose());
    await publish();
    for (const tab of tabs) await tab.has('1');
    const { asked } = on.site;
    await crash(host);
    await publish();
    // Nobody knows any more who leads, so whoever is elected asks anew.
    await on.site.until(() => on.site.asked > asked && on.site.streams.size === 1);
    const last = await publish();
    for (const tab of tabs) await tab.has(last);
    await tabs.shift()?.page.close();
    const again = await publish();
    for (const tab of tabs) await tab.has(again);
    await on.site.has(1);

    for (const tab of tabs) {
      expect(await tab.texts()).toEqual(Array.from({ length: published }, (_, index) => String(index + 1)));
    }
  }, 60_000);
});
