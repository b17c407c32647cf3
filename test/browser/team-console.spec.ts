import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import type { Browser, Page } from 'playwright-core';
import { HeraldFilesModule } from '../../src/herald/files/index.js';
import { type Grants, GrantsResolver, HeraldModule, type HubRequest, HubService } from '../../src/herald/index.js';
import { hubToken } from '../../src/herald/inject-hub.js';
import { HUB } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { type Adapter, ADAPTERS, TeamApp } from '../support/team-app.js';
import { violationsOn } from './axe.js';
import { add, looks, row, TOPIC } from './console-page.js';
import { launch, Visit, type VisitOptions } from './visit.js';

const AT = 'https://team.example';
const ORDERS = '/orders/hub';

/** An application knows its users by a cookie of its own. */
@Injectable()
class Sessions extends GrantsResolver {
  resolve({ headers }: HubRequest): Grants | undefined {
    const name = /session=(\w+)/.exec(headers.cookie ?? '')?.[1];
    if (name === undefined) return undefined;
    return { subject: name, readKey: name, canPublish: () => true, canRead: () => true };
  }
}

/** Where the paths go that the page has asked for. */
interface Look {
  readonly visit: Visit;
  readonly asked: ReadonlySet<string>;
}

/** Somebody with a session looks at a path. */
async function look(team: TeamApp, browser: Browser, path: string, options: VisitOptions = {}): Promise<Look> {
  const url = await team.app.getUrl();
  const asked = new Set<string>();
  const prepare = async (page: Page): Promise<void> => {
    await page.context().addCookies([{ name: 'session', value: 'ann', url }]);
    page.on('request', (request) => asked.add(new URL(request.url()).pathname));
  };
  return { visit: await Visit.to(url + path, browser, { ...options, prepare }), asked };
}

async function connect(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Your session' }).click();
  await looks(page, 'open');
}

/** A hub with another name and path than usual, below the prefix of the application. */
function startOrders(adapter: Adapter): Promise<TeamApp> {
  const orders = HeraldModule.forRoot({
    hubUrl: `${AT}/api${ORDERS}`,
    name: 'orders',
    path: ORDERS,
    grantsResolver: Sessions,
  });
  const files = HeraldFilesModule.forRoot({ path: '/push', hubPath: `/api${ORDERS}`, adminPath: '/api/admin' });
  return TeamApp.start(adapter, { imports: [orders, files] }, (app) => app.setGlobalPrefix('api'));
}

describeWith(chromium, 'the console of an application', (path) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch(path);
  });
  afterAll(() => browser.close());

  describe.each(ADAPTERS)('on %s', (adapter) => {
    it('is its own page, connects by the session of the application, and shows what is published', async () => {
      const hub = HeraldModule.forRoot({ hubUrl: AT + HUB, grantsResolver: Sessions });
      await using team = await TeamApp.start(adapter, { imports: [hub, HeraldFilesModule.forRoot()] });
      const { visit, asked } = await look(team, browser, '/herald');
      await using seen = visit;
      const { page } = seen;
      await page.getByRole('heading', { name: 'Herald console' }).waitFor();
      expect(new URL(page.url())).toMatchObject({ pathname: '/herald/', hash: '#/console' });
      expect(await page.title()).toBe('Herald console');
      expect(await page.locator('nav, #clock:visible, #tab-admin').count()).toBe(0);

      await add(page, `${TOPIC}a`, 'exact');
      await connect(page);
      await team.app.get(HubService).publish({ topic: `${TOPIC}a`, data: { hello: 'in process' } });
      await row(page, 'in process').waitFor();
      await row(page, 'Connected as Your session').waitFor();
      await page.locator('#tab-topics').click();
      await page.locator('#topic-source[data-source="session"]', { hasText: 'keys.admin' }).waitFor();
      expect(await violationsOn(page)).toEqual([]);
      await page.screenshot({ path: `test-results/team-console-${adapter}.png`, animations: 'disabled' });
      const elsewhere = [...asked].filter((one) => !one.startsWith('/herald') && !one.startsWith(HUB));
      expect(elsewhere).toEqual([]);
    });

    it('finds a named hub, the client library and administration below a prefix', async () => {
      await using team = await startOrders(adapter);
      const { visit, asked } = await look(team, browser, '/api/push/#/console?panel=publish', { locale: 'zh-CN' });
      await using seen = visit;
      const { page } = seen;
      await page.locator('#language').selectOption('en');
      await add(page, `${TOPIC}b`, 'exact');
      await connect(page);
      const hub: HubService = team.app.get(hubToken('orders'));
      await hub.publish({ topic: `${TOPIC}b`, data: 'for the named one' });
      await row(page, 'for the named one').waitFor();
      await page.locator('#tab-snippets').click();
      const library = new URL('/api/push/client.js', page.url());
      await page.locator('#snippet-language').selectOption('herald');
      await page.locator('.snippets', { hasText: library.href }).waitFor();
      expect(await page.evaluate(hasClient, library.href)).toBe(true);
      await page.locator('#tab-admin').click();
      await page.locator('#panel', { hasText: 'Administration needs keys.admin' }).waitFor();
      expect([...asked]).toEqual(expect.arrayContaining([`/api${ORDERS}`, '/api/admin/processes']));
      expect([...asked].filter((one) => !one.startsWith('/api/'))).toEqual([]);
    });
  });
});

/** Run in the page. */
async function hasClient(url: string): Promise<boolean> {
  return 'createHeraldClient' in ((await import(url)) as object);
}
