import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { publishSnippet, SNIPPET_LANGUAGES, subscribeSnippet } from '../../client/console/snippets.js';
import { HUB, publisherToken, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { violationsOn } from './axe.js';
import { connect, TOPIC } from './console-page.js';
import { LibrarySite } from './library-site.js';
import { stage } from './stage.js';
import { Visit } from './visit.js';

const LOOKS = ['en-US', 'zh-CN'].flatMap((locale) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ locale, colorScheme })),
);

/** What has a meaning of its own in a string of JavaScript. */
const ODD = String.raw`it's "quoted" ${'`${x}`'} \n </script> é`;

describeWith(chromium, 'the programs in the console', (path) => {
  const on = stage(path, () => startHub());

  async function open(query: string, look = {}): Promise<Visit> {
    const visit = await Visit.to(`${on.herald.url}/#/console?panel=snippets${query}`, on.browser, {
      permissions: ['clipboard-read', 'clipboard-write'],
      ...look,
    });
    await connect(visit.page, await subscriberToken(), await publisherToken());
    return visit;
  }

  it('are made from what the page shows, copied by the keyboard, and have no token in them', async () => {
    await using visit = await open(`&topic=${TOPIC}a&pattern=/b/*&since=earliest&filter=type:order`);
    const { page } = visit;
    const subject = {
      hubUrl: on.herald.url + HUB,
      libraryUrl: `${on.herald.url}/herald/client.js`,
      topics: [
        { kind: 'exact', text: `${TOPIC}a` },
        { kind: 'pattern', text: '/b/*' },
      ],
      since: 'earliest',
      type: 'order',
      needsToken: true,
    } as const;
    for (const language of SNIPPET_LANGUAGES) {
      await page.locator('#snippet-language').selectOption(language);
      const text = await page.locator('#snippet-subscribe').textContent();
      expect(text).toBe(subscribeSnippet(language, subject));
      expect(text).toContain('HERALD_TOKEN');
      for (const secret of [await subscriberToken(), await publisherToken()]) expect(text).not.toContain(secret);
    }
    await page.getByRole('button', { name: 'Copy: Publish' }).press('Enter');
    await page.locator('#console-announcer', { hasText: 'Copied' }).waitFor();
    const update = { topic: `${TOPIC}a`, data: '{"hello":"world"}', type: 'order' };
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(publishSnippet('go', subject, update));
    await page.locator('#snippet-type').fill('');
    expect(await page.locator('#snippet-subscribe').textContent()).not.toContain('"order"');
  });

  describe.each(['eventsource', 'herald'] as const)('for %s', (language) => {
    it('publish and receive in a page, and come back by themselves', async () => {
      await using site = await LibrarySite.before(on.herald);
      await using visit = await Visit.to(`${site.url}/`, on.browser);
      const { page } = visit;
      const topic = `${TOPIC}${language}/${ODD}`;
      const subject = {
        hubUrl: site.url + HUB,
        libraryUrl: `${site.url}/herald/client.js`,
        topics: [
          { kind: 'exact', text: topic },
          { kind: 'pattern', text: '/never/:id' },
        ],
        since: 'earliest',
        type: ODD,
        needsToken: language === 'herald',
      } as const;
      await on.publisher.publish({ topic, type: ODD, data: '"before"' });
      await on.publisher.publish({ topic, data: '"of another type"' });
      const printed = await listenTo(page);
      await run(page, subscribeSnippet(language, subject), await subscriberToken());
      await printed('"before"');
      await run(
        page,
        publishSnippet(language, subject, { topic, type: ODD, data: JSON.stringify(ODD) }),
        await publisherToken(),
      );
      await printed(JSON.stringify(ODD));
      // The page that reads has its own token again.
      await setToken(page, await subscriberToken());
      site.goAway();
      await site.has(0);
      await on.publisher.publish({ topic, type: ODD, data: '"meanwhile"' });
      site.comeBack();
      const all = await printed('"meanwhile"');
      expect(all.filter((line) => !line.startsWith('urn:uuid:'))).toEqual([
        '"before"',
        JSON.stringify(ODD),
        '"meanwhile"',
      ]);
      expect(all).toHaveLength(4);
    });
  });

  it.each(LOOKS)('and the other new panels are accessible: $locale, $colorScheme', async (look) => {
    await on.publisher.publish({ topic: `${TOPIC}axe`, data: '1' });
    await using visit = await open(`&topic=${TOPIC}axe`, look);
    const { page } = visit;
    await page.locator('#log-older button').click();
    await page.locator('.row[data-history]').first().waitFor();
    for (const panel of ['snippets', 'topics', 'token']) {
      await page.locator(`#tab-${panel}`).click();
      if (panel === 'topics') await page.locator('.topic-list td button').waitFor();
      if (panel === 'token') {
        await page.locator('#why-topic').fill(`${TOPIC}axe`);
        await page.locator('#why-explain').click();
        await page.locator('#why-hub').waitFor();
        await page.locator('#token-reading').getByRole('button').click();
      }
      expect({ panel, violations: await violationsOn(page) }).toEqual({ panel, violations: [] });
      for (const width of [360, 768, 1440]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
        await page.screenshot({
          path: `test-results/console-${panel}-${width}-${look.colorScheme}-${look.locale}.png`,
        });
      }
    }
  });
});

/** Takes down what a page prints. @returns a function that resolves with all of it once this line is there. */
async function listenTo(page: Page): Promise<(line: string) => Promise<string[]>> {
  const lines: string[] = [];
  let wakeUp = (): void => undefined;
  page.on('console', (message) => {
    if (message.type() !== 'log') return;
    lines.push(message.text());
    wakeUp();
  });
  return async (line) => {
    while (!lines.includes(line)) await new Promise<void>((resolve) => (wakeUp = resolve));
    return lines;
  };
}

/** Runs a program as a page's own module, with its token in the variable that it is to be in. */
async function run(page: Page, text: string, token: string): Promise<void> {
  await setToken(page, token);
  await page.addScriptTag({ type: 'module', content: text });
}

async function setToken(page: Page, token: string): Promise<void> {
  await page.evaluate((value) => Object.assign(globalThis, { HERALD_TOKEN: value }), token);
}
