import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { BASE, below, WAYS } from '../support/below-path.js';
import { type Herald, startHerald } from '../support/herald.js';
import { Nginx } from '../support/nginx.js';
import { chromium, describeWith, nginx } from '../support/programs.js';
import { add, looks, row } from './console-page.js';
import { launch, Visit } from './visit.js';

for (const [way, end] of WAYS) {
  describeWith(chromium, `the page below a path that the proxy ${way}`, (path) => {
    describeWith(nginx, 'with nginx', (program) => {
      let browser: Browser;
      let herald: Herald;
      let proxy: Nginx;

      beforeAll(async () => {
        browser = await launch(path);
        // Without keys the console has one click for everything: tokens that name the hub as the browser finds it.
        const env = { HERALD_BASE_PATH: BASE, HERALD_EVENTS_INTERVAL: '100ms', HERALD_SUBSCRIPTIONS: 'true' };
        herald = await startHerald({ env });
        proxy = await Nginx.start({ program, server: below(herald, end) });
      });
      afterAll(async () => {
        await proxy[Symbol.asyncDispose]();
        await browser.close();
        await herald[Symbol.asyncDispose]();
      });

      it('shows the clock, with and without a slash at the end of its address', async () => {
        for (const address of [`${proxy.url}${BASE}/`, proxy.url + BASE]) {
          // oxlint-disable-next-line no-await-in-loop -- one visit after the other
          await using visit = await Visit.to(address, browser);
          // oxlint-disable-next-line no-await-in-loop
          await visit.rows(2);
          expect(new URL(visit.page.url()).pathname).toBe(`${BASE}/`);
        }
      });

      it('has a console that connects with one click, and shows what is published', async () => {
        await using visit = await Visit.to(`${proxy.url}${BASE}/#/console`, browser);
        const { page } = visit;
        await page.getByRole('button', { name: 'Developer' }).click();
        await add(page, 'urn:below', 'exact');
        await looks(page, 'open');
        const answer = await page.evaluate(PUBLISH);
        expect(answer).toBe(200);
        await row(page, 'hello from below').waitFor();
      });

      it('has the client library, whose worker is beside it', async () => {
        await using visit = await Visit.to(`${proxy.url}${BASE}/`, browser);
        const state = await visit.page.evaluate(USE_LIBRARY);
        expect(state).toBe('live');
        // Without the worker the library would open a connection of its own, and look the same.
        await herald.waitForLog(/"path":"\/herald\/worker\.js","status":200/);
      });
    });
  });
}

/** Run in the page: it publishes with tokens that the service gives in development. */
const PUBLISH = `(async () => {
  const tokens = await (await fetch('developer/tokens', { method: 'POST' })).json();
  const headers = { authorization: 'Bearer ' + tokens.publish, 'content-type': 'application/json' };
  const body = JSON.stringify({ topic: 'urn:below', data: 'hello from below' });
  return (await fetch('.well-known/mercure', { method: 'POST', headers, body })).status;
})()`;

/** Run in the page: it subscribes by the library that the service serves, in a worker that all tabs share. */
const USE_LIBRARY = `(async () => {
  const { createHeraldClient } = await import('${BASE}/herald/client.js');
  const tokens = await (await fetch('developer/tokens', { method: 'POST' })).json();
  const options = { url: '.well-known/mercure', share: 'worker', subject: 'ann', token: () => tokens.subscribe };
  const client = createHeraldClient(options);
  await new Promise((resolve) => client.subscribe('urn:below', () => undefined, { onLive: resolve }));
  return 'live';
})()`;
