import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Browser } from 'playwright-core';
import { Publisher, startHub } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { bundled } from './bundled.js';
import { LibrarySite } from './library-site.js';
import { launch } from './visit.js';

describeWith(chromium, 'the adapters with data', (path) => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch(path);
  });

  afterAll(async () => {
    await browser.close();
  });

  it.each([
    ['React, in its strict mode,', 'react-hooks-app.ts'],
    ['Vue', 'vue-app.ts'],
  ])('show in %s what comes, the newest of each topic and the history', async (_title, app) => {
    await using herald = await startHub();
    await using site = await LibrarySite.before(herald);
    using publisher = await Publisher.of(herald);
    await publisher.publishAll(['1', '2', '3'].map((data) => ({ topic: 'urn:past', data })));
    const context = await browser.newContext();
    const page = await context.newPage();
    const failures: string[] = [];
    page.on('pageerror', ({ message }) => failures.push(message));
    await page.goto(site.url);
    await page.addScriptTag({ type: 'module', content: await bundled(app) });
    const last = page.locator('#last');

    await page.locator('#last[data-state=open]').waitFor();
    await last.filter({ hasText: 'urn:a live undefined undefined undefined' }).waitFor();
    await page.locator('#rooms', { hasText: /^live$/ }).waitFor();
    expect(site.streams.size).toBe(1);
    await publisher.publish({ topic: 'urn:a', data: '1' });
    await last.filter({ hasText: 'urn:a live 1 1 undefined' }).waitFor();
    await publisher.publish({ topic: 'urn:a', data: 'text' });
    await last.filter({ hasText: 'urn:a live undefined text data-invalid' }).waitFor();
    expect(await page.locator('#last q').textContent()).toBe('1 text');

    for (const data of ['1', '2']) await publisher.publish({ topic: 'https://example.com/rooms/a', data });
    await publisher.publish({ topic: 'https://example.com/rooms/b', data: '7' });
    await page.locator('#rooms', { hasText: 'live a=2 b=7' }).waitFor();

    const past = page.locator('#past');
    await past.filter({ hasText: /^ready true 3 2$/ }).waitFor();
    await past.click();
    await past.filter({ hasText: /^ready false 3 2 1$/ }).waitFor();

    await page.evaluate("acts.setTopic('urn:b')");
    await last.filter({ hasText: 'urn:b live undefined undefined undefined' }).waitFor();
    const shown = await page.evaluate<string[]>('shown');
    expect(shown.find((one) => one.startsWith('urn:b'))).toBe('urn:b pending undefined undefined undefined');
    await publisher.publish({ topic: ['urn:a', 'urn:b'], data: '5' });
    await last.filter({ hasText: 'urn:b live 5 5 undefined' }).waitFor();
    await page.evaluate('acts.setEnabled(false)');
    await last.filter({ hasText: 'urn:b disabled undefined undefined undefined' }).waitFor();
    await page.evaluate('acts.setEnabled(true)');
    await last.filter({ hasText: 'urn:b live undefined undefined undefined' }).waitFor();
    expect(await page.locator('#last q').textContent()).toBe('1 text 5');

    await page.evaluate('unmount()');
    await site.has(0);
    expect(failures).toEqual([]);
    await context.close();
  });
});
