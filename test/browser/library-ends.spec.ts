import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { Publisher, publisherToken, startHub, subscriberToken } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { isSpreadOut } from '../support/spread.js';
import { LibrarySite } from './library-site.js';
import { launch } from './visit.js';
import { waitUntil } from './wait-until.js';

const CLIENTS = 50;

const certificate = (name: string): string =>
  fileURLToPath(new URL(`../support/certificates/${name}`, import.meta.url));

/** What the tests put into the page. */
interface PageGlobals {
  /** A token for the reason that it is asked for. */
  mint(reason: string): Promise<string>;
  /** What a client has been told, for each of them. */
  seen: Seen[];
}

interface Seen {
  readonly texts: string[];
  readonly notices: string[];
  readonly states: string[];
  /** When it dialled after the drain for the first time. */
  back?: number;
}

/** Runs in the page: opens that many clients, and resolves once all are live. */
async function openClients({ count, hasToken }: { count: number; hasToken: boolean }): Promise<void> {
  const path = '/herald/client.js';
  const { createHeraldClient } = (await import(path)) as typeof import('../../client/lib/index.js');
  const globals = globalThis as unknown as PageGlobals;
  globals.seen = Array.from({ length: count }, () => ({ texts: [], notices: [], states: [] }));
  const open = (seen: Seen): Promise<void> => {
    const client = createHeraldClient({
      share: 'none',
      backoff: { min: 500, max: 20_000 },
      ...(hasToken && { token: ({ reason }) => globals.mint(reason) }),
    });
    client.on('notice', ({ type }) => seen.notices.push(type));
    client.on('state', (state) => {
      seen.states.push(state);
      if (state === 'connecting' && seen.notices.includes('drain')) seen.back ??= performance.now();
    });
    return new Promise<void>((resolve) => {
      client.subscribe('urn:t', ({ text }) => seen.texts.push(text), { onLive: resolve });
    });
  };
  await Promise.all(globals.seen.map(open));
}

/** Resolves once every client has got the text. */
async function allHave(page: Page, text: string): Promise<void> {
  await waitUntil(
    page,
    (wanted) => (globalThis as unknown as PageGlobals).seen.every(({ texts }) => texts.includes(wanted)),
    text,
  );
}

function seenIn(page: Page): Promise<Seen[]> {
  return page.evaluate(() => (globalThis as unknown as PageGlobals).seen);
}

async function publishFrom(page: Page, token: string, texts: readonly string[]): Promise<void> {
  await page.evaluate(
    async ({ bearer, all }) => {
      for (const data of all) {
        const { ok, status } = await fetch('/.well-known/mercure', {
          method: 'POST',
          headers: { authorization: `Bearer ${bearer}` },
          body: new URLSearchParams({ topic: 'urn:t', data }),
        });
        if (!ok) throw new Error(`publishing was refused with ${status}`);
      }
    },
    { bearer: token, all: texts },
  );
}

describeWith(chromium, 'the client library in a browser, when the hub ends streams,', (path) => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch(path);
  });
  afterAll(() => browser.close());

  it('comes back spread out from a drain, with all that was missed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'herald-drain-'));
    const env = {
      HERALD_JOURNAL: `lmdb:${directory}`,
      HERALD_TLS_CERT_FILE: certificate('first.crt'),
      HERALD_TLS_KEY_FILE: certificate('first.key'),
    };
    const first = await startHub(env);
    // Over HTTP/1.1 a page could not have as many streams.
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(`${first.url}/health/live`);
    const token = await publisherToken();
    await page.evaluate(openClients, { count: CLIENTS, hasToken: false });
    await publishFrom(page, token, ['1', '2']);
    await allHave(page, '2');
    await first.kill('SIGTERM');
    await using second = await startHub(env, first.port);
    expect(second.port).toBe(first.port);
    await publishFrom(page, token, ['3', '4']);
    await allHave(page, '4');

    const seen = await seenIn(page);
    for (const { texts } of seen) expect(texts).toEqual(['1', '2', '3', '4']);
    const back = seen.map((one) => one.back ?? NaN);
    expect(back).not.toContain(NaN);
    expect(isSpreadOut(back)).toBe(true);
    await context.close();
    await rm(directory, { recursive: true });
  }, 120_000);

  it('goes on with a fresh token when the old one expires in the middle, without a gap', async () => {
    await using herald = await startHub({ HERALD_ANONYMOUS: 'false' });
    await using site = await LibrarySite.before(herald);
    using publisher = await Publisher.of(herald);
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(site.url);
    const reasons: string[] = [];
    await page.exposeFunction('mint', (reason: string) => {
      reasons.push(reason);
      return subscriberToken({ expires: reason === 'initial' ? new Date(Date.now() + 2_000) : '1h' });
    });
    await page.evaluate(openClients, { count: 1, hasToken: true });
    let published = 0;
    while (site.asked < 2 || site.streams.size !== 1) {
      published += 1;
      await publisher.publish({ topic: 'urn:t', data: String(published), private: 'on' });
    }
    await publisher.publish({ topic: 'urn:t', data: 'last', private: 'on' });
    await allHave(page, 'last');

    const [seen] = await seenIn(page);
    expect(reasons).toEqual(['initial', 'expired']);
    expect(seen?.notices).toContain('expired');
    expect(seen?.notices).not.toContain('gap');
    expect(seen?.texts).toEqual([...Array.from({ length: published }, (_, index) => String(index + 1)), 'last']);
    await context.close();
  });

  it('gives up where the fresh token is refused as well', async () => {
    await using herald = await startHub({ HERALD_ANONYMOUS: 'false' });
    await using site = await LibrarySite.before(herald);
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(site.url);
    const once = await subscriberToken({ expires: new Date(Date.now() + 2_000) });
    const reasons: string[] = [];
    await page.exposeFunction('mint', (reason: string) => {
      reasons.push(reason);
      return once;
    });
    await page.evaluate(openClients, { count: 1, hasToken: true });
    await waitUntil(page, () => (globalThis as unknown as PageGlobals).seen[0]?.states.at(-1) === 'failed');

    expect(reasons).toEqual(['initial', 'expired', 'unauthorized']);
    await context.close();
  });
});
