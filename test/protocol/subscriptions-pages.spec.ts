import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Crowd } from '../support/crowd.js';
import type { EventStream } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { HUB, legacyToken, subscribe, subscriberToken } from '../support/hub.js';
import { startBilingualHub } from './dialects.js';
import { type Answer, ask, bearer } from './exchange.js';

const PATH = `${HUB}/subscriptions`;

/** Subscribers of one topic, of which a page holds a thousand; every tenth asks for another one besides. */
const MANY = 1_160;
const FEW = MANY / 10;

const TOPIC = 'urn:pages';
const OTHER = '/pages/{id}';

interface Document {
  readonly id: string;
  readonly match?: string;
  readonly topic?: string;
  readonly subscriber: string;
}

describe('lists of many subscribers', () => {
  let herald: Herald;
  let token: string;
  let legacy: string;
  const crowd = new Crowd<EventStream>();

  beforeAll(async () => {
    herald = await startBilingualHub({ HERALD_SUBSCRIPTIONS: 'true', HERALD_SUBSCRIPTIONS_GRACE: '0' });
    token = await subscriberToken({ topics: [{ match: `${PATH}{/*}?`, match_type: 'urlpattern' }] });
    legacy = await legacyToken('subscriber', { subscribe: [PATH, `${PATH}{/topic}`, `${PATH}{/topic}{/subscriber}`] });
    const other = encodeURIComponent(OTHER);
    const [headers, legacyHeaders] = [bearer(await subscriberToken({ subject: 'crowd' })), bearer(legacy)];
    for (let from = 0; from < MANY; from += 40) {
      await crowd.join(40, (index) => {
        if ((from + index) % 10 !== 0) return subscribe(herald, { query: `match=${TOPIC}`, headers });
        // The same text as a topic, and as a template of the 0.x dialect, in turn.
        const isLegacy = (from + index) % 20 === 0;
        return subscribe(herald, {
          query: isLegacy ? `topic=${TOPIC}&topic=${other}` : `match=${TOPIC}&match=${other}`,
          headers: isLegacy ? legacyHeaders : headers,
        });
      });
    }
  });
  afterAll(async () => {
    await crowd[Symbol.asyncDispose]();
    await herald[Symbol.asyncDispose]();
  });

  const api = (path: string, reader = token, hub = herald): Promise<Answer> => ask(hub, { path, token: reader });

  function documentsIn({ text }: Answer): readonly Document[] {
    return (JSON.parse(text) as { subscriptions: Document[] }).subscriptions;
  }

  /** The pages of a list, each of which names the next. */
  async function pagesOf(path: string, reader = token, hub = herald): Promise<(readonly Document[])[]> {
    const pages: (readonly Document[])[] = [];
    for (let next: string | undefined = path; next !== undefined;) {
      const answer = await api(next, reader, hub);
      expect(answer.status).toBe(200);
      expect(answer.headers.link).toMatch(/^<[^>]+>; rel="mercure"; last-event-id="/);
      pages.push(documentsIn(answer));
      next = /<([^>]+)>; rel="next"/.exec(String(answer.headers.link))?.[1];
    }
    return pages;
  }

  const subscribersIn = (documents: readonly Document[]): Set<string> =>
    new Set(documents.map(({ subscriber }) => subscriber));

  it('R79: all come page by page, none twice, and no subscriber in two pages', async () => {
    const pages = await pagesOf(PATH);
    expect(pages).toHaveLength(2);
    const all = pages.flat();
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(all.filter(({ match }) => match === TOPIC)).toHaveLength(MANY);
    // Of the other one, those who ask for it in the 0.x dialect are told of in that alone.
    expect(all.filter(({ match }) => match === OTHER)).toHaveLength(FEW / 2);
    const [first = [], second = []] = pages.map(subscribersIn);
    expect([...first].filter((one) => [...second].includes(one))).toEqual([]);
  });

  it('R77, R79: those with one matcher come page by page, in the order of all', async () => {
    const pages = await pagesOf(`${PATH}/exact/${TOPIC}`);
    expect(pages.map(({ length }) => length)).toEqual([1_000, MANY - 1_000]);
    const all = (await pagesOf(PATH)).flat();
    expect(pages.flat()).toEqual(all.filter(({ match }) => match === TOPIC));
    expect(await pagesOf(`${PATH}/urlpattern/${TOPIC}`)).toEqual([[]]);
    const [few = []] = await pagesOf(`${PATH}/exact/${encodeURIComponent(OTHER)}`);
    expect(few).toEqual(all.filter(({ match }) => match === OTHER));
  });

  it('R77: each of them is found by itself', async () => {
    const all = (await pagesOf(`${PATH}/exact/${TOPIC}`)).flat();
    for (const document of [all[0], all[999], all[1_000], all.at(-1)]) {
      const answer = await api(document?.id ?? '');
      expect([answer.status, JSON.parse(answer.text)]).toEqual([200, document]);
    }
  });

  it('R77, R79: so it is in the 0.x dialect, where one text may be two matchers', async () => {
    const pages = await pagesOf(`${PATH}/${encodeURIComponent(OTHER)}`, legacy);
    expect(pages.map(({ length }) => length)).toEqual([FEW]);
    const [documents = []] = pages;
    expect(subscribersIn(documents).size).toBe(FEW);
    const all = (await pagesOf(PATH, legacy)).flat();
    expect(documents).toEqual(all.filter(({ topic }) => topic === OTHER));
    expect((await pagesOf(`${PATH}/${encodeURIComponent(TOPIC)}`, legacy)).flat()).toHaveLength(MANY);
    for (const { id } of documents.slice(0, 2)) expect((await api(id, legacy)).status).toBe(200);
  });

  it('R79: a page ends between two subscribers, although it is full before', async () => {
    await using other = await startBilingualHub({ HERALD_SUBSCRIPTIONS: 'true' });
    await using readers = new Crowd<EventStream>();
    // Of documents of this size an odd number fills a page.
    const query = `match=${'a'.repeat(3_000)}&match=${'b'.repeat(3_000)}`;
    await readers.join(40, () => subscribe(other, { query }));
    const pages = await pagesOf(PATH, token, other);
    expect(pages.flat()).toHaveLength(80);
    expect(pages.length).toBeGreaterThan(1);
    for (const page of pages) expect(page.length).toBe(2 * subscribersIn(page).size);
    const allButLast = pages[0]?.slice(0, -1).map((document) => JSON.stringify(document)) ?? [];
    expect(allButLast.join('').length).toBeGreaterThanOrEqual(256 * 1024);
  });

  it('R79: a page that begins after the last one, or nowhere, is one as well', async () => {
    for (const [after, count] of [
      ['999999999', 0],
      ['x', 1_000],
      ['', 1_000],
      ['-1', 1_000],
    ] as const) {
      const answer = await api(`${PATH}/exact/${TOPIC}?after=${after}`);
      expect([after, answer.status, documentsIn(answer).length]).toEqual([after, 200, count]);
    }
  });
});
