import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Browser } from 'playwright-core';
import { publisherToken, startHub, subscriberToken, TLS_ENVIRONMENT } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { LibrarySite } from './library-site.js';
import { launch } from './visit.js';

/** What the calls in the page came to. */
interface Outcome {
  readonly ids: (string | undefined)[];
  readonly codes: (string | undefined)[];
  readonly history: string[];
  readonly hasTime: boolean;
  readonly pages: number[];
  readonly present: string[];
  readonly changes: string[];
}

/** Runs in a page: all that the library does besides subscribing, as the hub serves it. */
async function useAll({ hub, write, read }: { hub: string; write: string; read: string }): Promise<Outcome> {
  const module = `${hub}/herald/client.js`;
  const { createHeraldClient } = (await import(module)) as typeof import('../../client/lib/index.js');
  const client = createHeraldClient({
    url: `${hub}/.well-known/mercure`,
    share: 'none',
    token: ({ reason }) => (reason === 'publish' ? write : read),
  });
  const changes: string[] = [];
  let stop = (): void => undefined;
  const listed = new Promise<void>((resolve) => {
    stop = client.presence('urn:room').subscribe((list, { type }) => {
      changes.push(`${type} ${list.length}`);
      resolve();
    });
  });
  await listed;
  const updates = Array.from({ length: 600 }, (_, index) => ({ topic: 'urn:many', data: index }));
  const answers = await client.publishBatch([...updates, { topic: '*', data: 1 }]);
  const one = await client.publish('urn:html', '<p>é</p>', { as: 'text', private: true });
  const history: string[] = [];
  let hasTime = true;
  for await (const { text, time } of client.history(['urn:html', 'urn:many'], { limit: 3 })) {
    history.push(text);
    hasTime &&= time instanceof Date;
  }
  const first = await client.historyPage('urn:many', { limit: 400 });
  const second = await client.historyPage('urn:many', { limit: 400, ...first.next });
  const isHere = new Promise<void>((resolve) => {
    client.subscribe('urn:room', () => undefined, { onLive: resolve });
  });
  await isHere;
  const present = await client.presence('urn:room').list();
  stop();
  client.dispose();
  return {
    ids: [answers[0]?.id, answers[599]?.id, one],
    codes: [answers[600]?.error?.problem?.code],
    history,
    hasTime,
    pages: [first.messages.length, second.messages.length],
    present: present.map(({ match }) => match),
    changes,
  };
}

describeWith(chromium, 'the calls of the client library in a browser', (path) => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch(path);
  });

  afterAll(async () => {
    await browser.close();
  });

  it.each([
    ['the same origin over HTTP/2', TLS_ENVIRONMENT, false],
    ['another origin over HTTP/1.1', {}, true],
  ])('publish, read back and tell who is there, from %s', async (_title, env, isCrossing) => {
    await using front = await startHub();
    await using site = await LibrarySite.before(front);
    await using herald = await startHub({ ...env, HERALD_SUBSCRIPTIONS: 'true', HERALD_CORS_ORIGINS: site.url });
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    await page.goto(isCrossing ? site.url : `${herald.url}/health/live`);
    const [write, read] = [await publisherToken(), await subscriberToken({ subject: 'reader' })];
    const outcome = await page.evaluate(useAll, { hub: herald.url, write, read });

    expect(outcome).toMatchObject({
      ids: [expect.stringMatching(/^urn:uuid:/), expect.stringMatching(/^urn:uuid:/), expect.any(String)],
      codes: ['topic-reserved'],
      history: ['<p>é</p>', '599', '598'],
      hasTime: true,
      pages: [400, 200],
      present: ['urn:room'],
    });
    expect(outcome.changes[0]).toBe('listed 0');
    await context.close();
  });
});
