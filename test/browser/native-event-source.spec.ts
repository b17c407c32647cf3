import { afterAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import {
  type AbsentReader,
  EXPIRY,
  inMemory,
  inRedis,
  type LastingHub,
  type MakeToken,
  MAX_AGE,
  NOTHING_LOST,
  onDisk,
  type Seen,
  seenAfterAbsence,
  SIGKILL,
  SIGTERM,
} from '../support/absence.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { subscriberToken } from '../support/hub.js';
import { chromium, describeWith, redisServer } from '../support/programs.js';
import { launch } from './visit.js';
import { waitUntil } from './wait-until.js';

const CURSOR = '{"type":"cursor"}';

/** The name of the cookie that brings a token, which on plain HTTP can have no prefix. */
const COOKIE = 'token';

/** What the test puts into the page. */
interface PageGlobals {
  seen: string[];
  source: EventSource;
}

/** The browser's own `EventSource`, in a page of the hub's origin, with a proxy that can keep it away. */
class NativeReader implements AbsentReader {
  private constructor(
    private readonly context: BrowserContext,
    private readonly page: Page,
    private readonly proxy: FaultProxy,
  ) {}

  static in(browser: () => Promise<Browser>, protocol: 'http/1.1' | 'h2') {
    return async (hub: LastingHub, path: string, makeToken: MakeToken | undefined): Promise<NativeReader> => {
      const proxy = await FaultProxy.before(hub.port);
      const context = await (await browser()).newContext({ ignoreHTTPSErrors: true });
      const page = await context.newPage();
      const reader = new NativeReader(context, page, proxy);
      const origin = protocol === 'h2' ? proxy.url.replace('http:', 'https:') : proxy.url;
      const blank = `${origin}/blank`;
      await page.route(blank, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
      await page.goto(blank);
      if (makeToken) await reader.giveToken(await makeToken());
      await page.evaluate(listen, path);
      const spoken = await page.evaluate(protocolSpoken);
      if (spoken !== protocol) throw new Error(`Chromium speaks ${spoken} with the hub`);
      // The application renews the cookie, which counts from the next request on.
      if (makeToken) await reader.giveToken(await subscriberToken());
      return reader;
    };
  }

  async until(condition: (seen: Seen) => boolean): Promise<Seen> {
    for (;;) {
      const all = await this.page.evaluate(() => (globalThis as unknown as PageGlobals).seen);
      const events = all.filter((data) => data !== CURSOR);
      const seen: Seen = { cursors: all.length - events.length, events };
      if (condition(seen)) return seen;
      const more = (count: number): boolean => (globalThis as unknown as PageGlobals).seen.length > count;
      await waitUntil(this.page, more, all.length);
    }
  }

  async away(): Promise<void> {
    await waitUntil(this.page, () => {
      const { source } = globalThis as unknown as PageGlobals;
      return source.readyState === EventSource.CONNECTING;
    });
    this.proxy.goAway();
  }

  comeBack(): Promise<void> {
    this.proxy.comeBack();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    await this.proxy[Symbol.asyncDispose]();
  }

  private giveToken(value: string): Promise<void> {
    return this.context.addCookies([{ name: COOKIE, value, url: this.page.url() }]);
  }
}

/** Runs in the page. */
async function listen(path: string): Promise<void> {
  const seen: string[] = [];
  const source = new EventSource(path);
  Object.assign(globalThis, { seen, source });
  const take = ({ data }: MessageEvent<string>): void => void seen.push(data);
  source.addEventListener('message', take);
  source.addEventListener('herald', take);
  await new Promise((resolve) => source.addEventListener('open', resolve, { once: true }));
}

/** Runs in the page: what it speaks with the hub. */
async function protocolSpoken(): Promise<string | undefined> {
  await (await fetch('/health/live')).text();
  const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
  return entries.at(-1)?.nextHopProtocol;
}

const PROTOCOLS = [
  ['HTTP/1.1', 'http1', 'http/1.1'],
  ['HTTP/2', 'http2', 'h2'],
] as const;

describeWith(chromium, "Chromium's EventSource on a quiet topic", (path) => {
  // Tests that run beside each other begin before any hook.
  let launched: Promise<Browser> | undefined;
  const browser = (): Promise<Browser> => (launched ??= launch(path));
  const env = { HERALD_COOKIE_NAME: COOKIE };

  afterAll(async () => (await launched)?.close());

  describe.each(PROTOCOLS)('over %s', (_name, transport, protocol) => {
    const open = NativeReader.in(browser, protocol);

    describe.each([
      ['has had no event yet', false],
      ['has had one that is trimmed by now', true],
    ])('that %s', (_, hasHadOne) => {
      it.concurrent.each([
        { cause: MAX_AGE, makeLog: inMemory },
        { cause: EXPIRY, makeLog: inMemory },
        { cause: SIGTERM, makeLog: onDisk },
        { cause: SIGKILL, makeLog: onDisk },
      ])(
        'gets what was published while it was away, after $cause.name, and no gap',
        async ({ cause, makeLog }) => {
          const absence = { transport, makeLog, cause, hasHadOne, env, open };
          expect(await seenAfterAbsence(absence)).toEqual(NOTHING_LOST);
        },
        60_000,
      );

      describeWith(redisServer, 'with Redis', (program) => {
        it.concurrent(
          'gets what was published while it was away, after SIGKILL, and no gap',
          async () => {
            const makeLog = (): ReturnType<typeof inRedis> => inRedis(program);
            const absence = { transport, makeLog, cause: SIGKILL, hasHadOne, env, open };
            expect(await seenAfterAbsence(absence)).toEqual(NOTHING_LOST);
          },
          60_000,
        );
      });
    });
  });
});
