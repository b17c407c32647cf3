import { expect, it } from '@jest/globals';
import { subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { Tab, type TabOptions } from './tab.js';
import { tabStage } from './tab-stage.js';
import { launch } from './visit.js';

const ELSEWHERE = 'data:text/html,elsewhere';
const LOCAL: TabOptions = { resume: 'local' };

describeWith(chromium, 'tabs that go on where they were', (path) => {
  const on = tabStage(() => launch(path));

  function open(options: TabOptions): Promise<Tab> {
    return Tab.open(on.context, on.site.url, { ...LOCAL, ...options });
  }

  async function publish(topic: string, data: string, isPrivate = false): Promise<void> {
    await on.publisher.publish({ topic, data, ...(isPrivate && { private: 'on' }) });
  }

  async function comeBack(tab: Tab, options: TabOptions): Promise<void> {
    await tab.page.goto(on.site.url);
    await tab.start({ ...LOCAL, ...options });
  }

  it.each(['auto', 'none'] as const)('lose nothing, each with topics of its own (share: %s)', async (share) => {
    const [a, b] = [await open({ topics: ['urn:a'], share }), await open({ topics: ['urn:b', 'urn:both'], share })];
    await publish('urn:a', '1');
    await a.has('1');
    await a.page.goto(ELSEWHERE);
    await publish('urn:a', '2');
    // The other tab gets on meanwhile.
    await publish('urn:b', '3');
    await b.has('3');
    await comeBack(a, { topics: ['urn:a'], share });
    await a.has('2');
    await b.page.goto(ELSEWHERE);
    await publish('urn:b', '4');
    await publish('urn:a', '5');
    await a.has('5');
    await comeBack(b, { topics: ['urn:b', 'urn:both'], share });
    await b.has('4');

    expect(await a.texts()).toEqual(['2', '5']);
    expect(await b.texts()).toEqual(['4']);
  });

  it('lose nothing of the same topic either, which another tab has read meanwhile', async () => {
    const [one, other] = [await open({}), await open({})];
    await publish('urn:t', '1');
    for (const tab of [one, other]) await tab.has('1');
    await one.page.goto(ELSEWHERE);
    for (const data of ['2', '3']) await publish('urn:t', data);
    await other.has('3');
    await comeBack(one, {});
    await one.has('3');

    expect(await one.texts()).toEqual(['2', '3']);
    expect(await other.texts()).toEqual(['1', '2', '3']);
  });

  it('also a new tab goes on where the last one stopped', async () => {
    const tab = await open({});
    await publish('urn:t', '1');
    await tab.has('1');
    await tab.page.close({ runBeforeUnload: false });
    await publish('urn:t', '2');
    const next = await open({});
    await next.has('2');

    expect((await next.texts()).filter((text) => text !== '1')).toEqual(['2']);
  });

  it('never go on where another person was', async () => {
    const ann = await subscriberToken({ subject: 'ann' });
    const bob = await subscriberToken({ subject: 'bob' });
    const tab = await open({ token: bob });
    await publish('urn:t', '1', true);
    await tab.has('1');
    await tab.page.goto(ELSEWHERE);
    await publish('urn:t', '2', true);
    await comeBack(tab, { token: ann });
    await publish('urn:t', '3', true);
    await tab.has('3');
    expect(await tab.texts()).toEqual(['3']);
    await tab.page.goto(ELSEWHERE);
    await comeBack(tab, { token: bob });
    await tab.has('3');

    expect(await tab.texts()).toEqual(['2', '3']);
  });

  it('keep no token, and nothing of what it says', async () => {
    const token = await subscriberToken({ subject: 'a-name-to-look-for' });
    const tab = await open({ token });
    await publish('urn:t', '1', true);
    await tab.has('1');
    await tab.page.goto(`${on.site.url}/health/live`);
    const stored = await tab.page.evaluate(() =>
      JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]),
    );

    expect(stored).toContain('urn%3At');
    for (const part of [...token.split('.'), 'a-name-to-look-for']) expect(stored).not.toContain(part);
  });
});
