import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { Herald } from '../support/herald.js';
import { Publisher, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { launch } from './visit.js';
import { waitUntil } from './wait-until.js';

/** What the tests put into the page. */
interface PageGlobals {
  texts: string[];
}

interface Start {
  readonly url: string;
  readonly token: string | undefined;
  readonly cookies: boolean;
}

/** Runs in the page: loads the library from the hub, subscribes, and resolves once that holds. */
async function start({ url, token, cookies }: Start): Promise<void> {
  const { createHeraldClient } = (await import(
    `${url}/herald/client.js`
  )) as typeof import('../../client/lib/index.js');
  const client = createHeraldClient({ cookies, subject: 'ann', ...(token && { token: () => token }) });
  const texts: string[] = [];
  Object.assign(globalThis, { client, texts });
  await new Promise<void>((resolve) => {
    client.subscribe('urn:t', ({ text }) => texts.push(text), { onLive: resolve });
  });
}

describeWith(chromium, 'the client library on a page of another origin', (path) => {
  let browser: Browser;
  let site: Server;
  let herald: Herald;
  let publisher: Publisher;

  beforeAll(async () => {
    browser = await launch(path);
    site = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><link rel="icon" href="data:,">');
    }).listen(0, '127.0.0.1');
    await once(site, 'listening');
    herald = await startHub({ HERALD_CORS_ORIGINS: origin('127.0.0.1'), HERALD_COOKIE_NAME: 'token' });
    publisher = await Publisher.of(herald);
  });

  afterAll(async () => {
    publisher[Symbol.dispose]();
    await browser.close();
    await herald[Symbol.asyncDispose]();
    site.close();
  });

  function origin(host: string): string {
    return `http://${host}:${(site.address() as AddressInfo).port}`;
  }

  /** A tab of a browser of its own. */
  async function visit(host: string): Promise<Page> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(origin(host));
    return page;
  }

  async function begin(page: Page, options: { token?: string; cookies?: boolean } = {}): Promise<void> {
    const { token, cookies = false } = options;
    await page.evaluate(start, { url: herald.url, token, cookies });
  }

  /** What it was given, once the last of it is there. */
  async function textsOf(page: Page, last: string): Promise<string[]> {
    await waitUntil(page, (wanted) => (globalThis as unknown as PageGlobals).texts.includes(wanted), last);
    const texts = await page.evaluate(() => (globalThis as unknown as PageGlobals).texts);
    await page.context().close();
    return texts;
  }

  async function publish(): Promise<void> {
    await publisher.publish({ topic: 'urn:t', data: 'private', private: 'on' });
    await publisher.publish({ topic: 'urn:t', data: 'public' });
  }

  it('is loaded from the hub, which it then takes for its own, and reads with a token', async () => {
    const page = await visit('127.0.0.1');
    await begin(page, { token: await subscriberToken() });
    await publish();
    expect(await textsOf(page, 'public')).toEqual(['private', 'public']);
  });

  it('sends a cookie only if it is told to', async () => {
    const pages = [await visit('127.0.0.1'), await visit('127.0.0.1')];
    const cookie = { name: 'token', value: await subscriberToken(), url: herald.url };
    for (const page of pages) await page.context().addCookies([cookie]);
    for (const [index, page] of pages.entries()) await begin(page, { cookies: index === 0 });
    await publish();
    const texts = await Promise.all(pages.map((page) => textsOf(page, 'public')));
    expect(texts).toEqual([['private', 'public'], ['public']]);
  });

  it('gets nothing, and is not even loaded, where the origin is not on the list', async () => {
    const page = await visit('localhost');
    await expect(begin(page)).rejects.toThrow('Failed to fetch dynamically imported module');
    await page.context().close();
  });
});
