import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { Edge, NOBODY } from '../support/edge.js';
import { EDGE_KINDS } from '../support/edge-kinds.js';
import { HUB, Publisher, startHub } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { launch } from './visit.js';
import { waitUntil } from './wait-until.js';

/** Milliseconds that the hub is away. */
const AWAY = 6_000;

const PAGE = '<!doctype html><link rel="icon" href="data:,">';

/** What the test puts into the page. */
interface PageGlobals {
  seen: string[];
  /** How often the connection has broken or could not be made. */
  errors: number;
  source: EventSource;
}

/** Runs in the page: the browser's own `EventSource`, and nothing that would bring it back. */
async function listen(url: string): Promise<void> {
  const source = new EventSource(url, { withCredentials: true });
  const globals: PageGlobals = { seen: [], errors: 0, source };
  Object.assign(globalThis, globals);
  const all = globalThis as unknown as PageGlobals;
  source.addEventListener('message', ({ data }: MessageEvent<string>) => void all.seen.push(data));
  source.addEventListener('error', () => (all.errors += 1));
  await new Promise((resolve) => source.addEventListener('open', resolve, { once: true }));
}

async function seenUntil(page: Page, last: string): Promise<string[]> {
  await waitUntil(page, (wanted) => (globalThis as unknown as PageGlobals).seen.includes(wanted), last);
  return page.evaluate(() => (globalThis as unknown as PageGlobals).seen);
}

for (const kind of EDGE_KINDS) {
  describeWith(chromium, `an EventSource behind ${kind.name}`, (path) => {
    describeWith(kind.program, `with ${kind.name}`, (program) => {
      // Tests that run beside each other begin before any hook.
      let launched: Promise<Browser> | undefined;
      const browser = (): Promise<Browser> => (launched ??= launch(path));

      afterAll(async () => (await launched)?.close());

      it.concurrent.each([
        ["the proxy's own origin", false],
        ['another origin', true],
      ])(
        'of a page of %s comes back by itself after the hub was away, and has missed nothing',
        async (_, isForeign) => {
          await using journal = await folder();
          await using site = await startSite();
          const env = { HERALD_JOURNAL: `lmdb:${journal.path}`, HERALD_CORS_ORIGINS: site.origin };
          const hub = await startHub(env);
          const { port } = hub;
          await using edge = await Edge.start(kind, {
            program,
            hubs: [`127.0.0.1:${port}`, NOBODY],
            origin: site.origin,
          });
          using publisher = await Publisher.of(edge);
          const context = await (await browser()).newContext({ ignoreHTTPSErrors: true });
          const page = await context.newPage();
          const home = `${isForeign ? site.origin : edge.url}/blank`;
          // The other site serves its page itself: one without an address would be kept from addresses of this machine.
          if (!isForeign) await page.route(home, (route) => route.fulfill({ contentType: 'text/html', body: PAGE }));
          await page.goto(home);
          await page.evaluate(listen, `${edge.url}${HUB}?match=urn:a`);
          await publisher.publish({ topic: 'urn:a', data: 'before' });
          await seenUntil(page, 'before');
          await hub.kill('SIGKILL');
          await delay(AWAY);
          const { errors, state } = await page.evaluate(() => {
            const all = globalThis as unknown as PageGlobals;
            return { errors: all.errors, state: all.source.readyState };
          });
          // It has asked in vain more than once, and is not closed.
          expect([errors > 1, state]).toEqual([true, 0]);
          await using again = await startHub(env, port);
          using direct = await Publisher.of(again);
          await direct.publish({ topic: 'urn:a', data: 'missed' });
          await seenUntil(page, 'missed');
          await direct.publish({ topic: 'urn:a', data: 'live' });
          expect(await seenUntil(page, 'live')).toEqual(['before', 'missed', 'live']);
          await context.close();
        },
        60_000,
      );
    });
  });
}

async function folder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'herald-proxies-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** A site of another origin than the proxy's. */
async function startSite(): Promise<AsyncDisposable & { readonly origin: string }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
