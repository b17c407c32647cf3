import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Answer, Asker } from '../support/asker.js';
import { describeEngines, type JournalPlace } from '../support/engines.js';
import type { Herald } from '../support/herald.js';
import { HUB, Publisher, startHub, subscriberToken, TLS_ENVIRONMENT } from '../support/hub.js';
import type { Transport } from '../support/transports.js';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** What a process speaks: TLS has two of the transports on one port. */
const LISTENERS: readonly (readonly [string, Readonly<Record<string, string>>, readonly Transport[]])[] = [
  ['in the clear', {}, ['http1']],
  ['with TLS', TLS_ENVIRONMENT, ['tls', 'http2']],
];

interface PastUpdate {
  readonly id: string;
  readonly topics: readonly string[];
  readonly type?: string;
  readonly data: string;
  readonly private: boolean;
  readonly time: string;
}

interface Line {
  readonly topics: readonly string[];
  readonly data: string;
  readonly id?: string;
  readonly type?: string;
  readonly private?: boolean;
}

function nextOf({ headers }: Answer): string | undefined {
  return /<([^>]+)>; rel="next"/.exec(String(headers['link']))?.[1];
}

async function ask(asker: Asker, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return asker.ask(path.startsWith('/') ? path : `${HUB}/history?${path}`, { headers });
}

function updatesOf({ status, body }: Answer): PastUpdate[] {
  expect(status).toBe(200);
  return JSON.parse(body) as PastUpdate[];
}

/** All pages. */
async function allOf(asker: Asker, query: string, headers: Record<string, string> = {}): Promise<PastUpdate[]> {
  const all: PastUpdate[] = [];
  for (let path: string | undefined = query; path !== undefined;) {
    const answer: Answer = await ask(asker, path, headers);
    all.push(...updatesOf(answer));
    path = nextOf(answer);
  }
  return all;
}

function describeHistory(name: string, journal: () => Promise<JournalPlace>): void {
  describe.each(LISTENERS)(`the history from ${name}, %s`, (_, env, transports) => {
    let herald: Herald;
    let publisher: Publisher;
    let engine: JournalPlace;
    const lines: Line[] = [];

    beforeAll(async () => {
      engine = await journal();
      herald = await startHub({ HERALD_JOURNAL: engine.url, HERALD_RECENT_BYTES: '2kb', ...env });
      publisher = await Publisher.of(herald);
      for (let index = 0; index < 600; index += 1) {
        const topic = index % 3 === 0 ? `https://example.com/users/${(index / 3) % 5}` : 'urn:of-others';
        const isPrivate = index % 4 === 0;
        lines.push({ topics: [topic, 'urn:all'], data: `data ${index}`, id: `urn:n:${index}`, private: isPrivate });
      }
      await publisher.publishAll(lines);
    });
    afterAll(async () => {
      publisher[Symbol.dispose]();
      await herald[Symbol.asyncDispose]();
      await engine.close();
    });

    /** The ids of what matches and is readable, the newest first. */
    function idsWhere(isMeant: (line: Line) => boolean): string[] {
      return lines.flatMap((line) => (isMeant(line) ? (line.id ?? '') : [])).toReversed();
    }

    it.each(transports)(
      'gives each update with all that is known of it, the newest first, over %s',
      async (transport) => {
        using asker = new Asker(transport, herald);
        const before = Date.now();
        const id = await publisher.publish({ topic: 'urn:one', data: 'x\ny', type: 'kind' });
        const [update] = updatesOf(await ask(asker, 'match=urn:one'));
        expect(update).toEqual({
          id,
          topics: ['urn:one'],
          type: 'kind',
          data: 'x\ny',
          private: false,
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
        });
        expect(Math.abs(Date.parse(update?.time ?? '') - before)).toBeLessThan(60_000);
      },
    );

    it.each(transports)('gives pages in either order that hold everything once, over %s', async (transport) => {
      using asker = new Asker(transport, herald);
      const token = `Bearer ${await subscriberToken()}`;
      const shapes: readonly (readonly [string, (line: Line) => boolean])[] = [
        ['match=https://example.com/users/3', ({ topics }) => topics.includes('https://example.com/users/3')],
        ['match_urlpattern=https://example.com/users/:id', ({ topics }) => topics[0] !== 'urn:of-others'],
        ['match=urn:all', () => true],
        ['match=*', () => true],
      ];
      for (const [matchers, isMeant] of shapes) {
        const parameters = `${matchers}&limit=37&before=urn:n:590`;
        const meant = idsWhere(isMeant).filter((id) => Number(id.split(':')[2]) < 590);
        const all = await allOf(asker, parameters, { authorization: token });
        expect(all.map(({ id }) => id)).toEqual(meant);
        const ascending = await allOf(asker, `${parameters}&order=asc`, { authorization: token });
        expect(ascending.map(({ id }) => id)).toEqual(meant.toReversed());
        const after = await allOf(asker, `${parameters}&after=urn:n:100`, { authorization: token });
        expect(after.map(({ id }) => id)).toEqual(meant.filter((id) => Number(id.split(':')[2]) > 100).toReversed());
        const open = (await allOf(asker, parameters)).map(({ id }) => id);
        expect(open).toEqual(meant.filter((id) => Number(id.split(':')[2]) % 4 !== 0));
      }
    });

    it.each(transports)('names no topic that the asker may not know of, over %s', async (transport) => {
      using asker = new Asker(transport, herald);
      const token = await subscriberToken({ topics: [{ match: 'urn:mine' }] });
      await publisher.publish({ topic: ['urn:mine', 'urn:secret:1'], data: 'x', private: 'on' });
      const headers = { authorization: `Bearer ${token}` };
      const [update] = updatesOf(await ask(asker, 'match=*&limit=1', headers));
      expect(update).toMatchObject({ topics: ['urn:mine'], private: true });
    });

    it.each(transports)('is asked with a form that is too long for a URL, over %s', async (transport) => {
      using asker = new Asker(transport, herald);
      const topics = Array.from({ length: 900 }, (__, index) => `match=${`urn:${index}:`.padEnd(120, 'x')}`);
      const body = [...topics, 'match_urlpattern=https://example.com/users/:id', 'limit=3', 'before=urn:n:590'].join(
        '&',
      );
      const answer = await asker.ask(`${HUB}/history`, { method: 'QUERY', headers: FORM, body });
      const meant = idsWhere((line) => line.topics[0] !== 'urn:of-others' && line.private === false);
      const before = meant.filter((id) => Number(id.split(':')[2]) < 590);
      expect(updatesOf(answer).map(({ id }) => id)).toEqual(before.slice(0, 3));
    });
  });
}

describeEngines(describeHistory);

describe('the history', () => {
  it('is NDJSON for who asks for it', async () => {
    await using herald = await startHub();
    using asker = new Asker('http1', herald);
    using publisher = await Publisher.of(herald);
    for (const data of ['1', '2']) await publisher.publish({ topic: 'urn:t', data });
    const response = await ask(asker, 'match=urn:t', { accept: 'application/x-ndjson' });
    expect(response.headers['content-type']).toMatch(/^application\/x-ndjson/);
    const lines = response.body.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as PastUpdate).data)).toEqual(['2', '1']);
  });

  it('refuses an id that is not held, and parameters that it does not understand', async () => {
    await using herald = await startHub({ HERALD_RETAIN_EVENTS: '2' });
    using asker = new Asker('http1', herald);
    using publisher = await Publisher.of(herald);
    const ids: string[] = [];
    for (const data of ['1', '2', '3']) ids.push(await publisher.publish({ topic: 'urn:t', data }));
    const cases: readonly (readonly [string, number, string])[] = [
      [`match=urn:t&before=${ids[0]}`, 404, 'id-not-held'],
      ['match=urn:t&after=urn:never', 404, 'id-not-held'],
      ['match=urn:t&limit=0', 400, 'parameter-invalid'],
      ['match=urn:t&limit=1001', 400, 'parameter-invalid'],
      ['match=urn:t&limit=1&limit=2', 400, 'parameter-invalid'],
      ['match=urn:t&order=up', 400, 'parameter-invalid'],
      ['limit=1', 400, 'matcher-missing'],
      ['match_urlpattern=https://(', 400, 'matcher-invalid'],
    ];
    for (const [query, status, code] of cases) {
      const response = await ask(asker, query);
      expect([query, response.status, (JSON.parse(response.body) as { code: string }).code]).toEqual([
        query,
        status,
        code,
      ]);
    }
    expect(updatesOf(await ask(asker, 'match=urn:t&after=earliest')).map(({ data }) => data)).toEqual(['2', '3']);
  });

  it('asks for a token where subscribing does, lets other origins read its link, and takes long lists in a body', async () => {
    const origin = 'https://app.example';
    await using herald = await startHub({ HERALD_ANONYMOUS: 'false', HERALD_CORS_ORIGINS: origin });
    using asker = new Asker('http1', herald);
    using publisher = await Publisher.of(herald);
    for (const data of ['1', '2']) await publisher.publish({ topic: 'urn:t', data });
    expect((await ask(asker, 'match=urn:t')).status).toBe(401);
    const headers = { authorization: `Bearer ${await subscriberToken()}`, origin };
    const page = await ask(asker, 'match=urn:t&limit=1', headers);
    expect(page.headers['access-control-allow-origin']).toBe(origin);
    expect(page.headers['access-control-expose-headers']).toContain('Link');
    expect(updatesOf(await ask(asker, nextOf(page) ?? '', headers)).map(({ data }) => data)).toEqual(['1']);
    const question = { method: 'QUERY', headers: { ...headers, ...FORM }, body: 'match=urn:t&order=asc' };
    const asked = await asker.ask(`${HUB}/history`, question);
    expect(updatesOf(asked).map(({ data }) => data)).toEqual(['1', '2']);
  });

  it('gives fewer where updates are large, or may not be read, and goes on from there', async () => {
    await using herald = await startHub();
    using asker = new Asker('http1', herald);
    using publisher = await Publisher.of(herald);
    const large = 'x'.repeat(300_000);
    for (let index = 0; index < 8; index += 1)
      await publisher.publish({ topic: 'urn:large', data: `${index}${large}` });
    const page = await ask(asker, 'match=urn:large');
    // The one with which a megabyte is reached is the last.
    expect(updatesOf(page)).toHaveLength(4);
    expect((await allOf(asker, 'match=urn:large')).map(({ data }) => Number(data[0]))).toEqual([
      7, 6, 5, 4, 3, 2, 1, 0,
    ]);
    await publisher.publishAll([{ topics: ['urn:hidden'], data: 'open' }]);
    for (let count = 0; count < 3; count += 1) {
      const hidden = Array.from({ length: 5_000 }, () => ({ topics: ['urn:hidden'], data: '', private: true }));
      await publisher.publishAll(hidden);
    }
    const first = await ask(asker, 'match=urn:hidden');
    expect([updatesOf(first), typeof nextOf(first)]).toEqual([[], 'string']);
    expect((await allOf(asker, 'match=urn:hidden')).map(({ data }) => data)).toEqual(['open']);
  });

  it('gives no more updates than may be asked for, and a link to the others', async () => {
    await using herald = await startHub();
    using asker = new Asker('http1', herald);
    using publisher = await Publisher.of(herald);
    await publisher.publishAll(Array.from({ length: 1_001 }, (_, index) => ({ topics: ['urn:t'], data: `${index}` })));
    const page = await ask(asker, 'match=urn:t&limit=1000');
    expect(updatesOf(page).map(({ data }) => Number(data))).toEqual(
      Array.from({ length: 1_000 }, (_, at) => 1_000 - at),
    );
    expect(updatesOf(await ask(asker, nextOf(page) ?? '')).map(({ data }) => data)).toEqual(['0']);
  });

  it('puts nothing of the request into its headers but what a link may have', async () => {
    await using herald = await startHub();
    using asker = new Asker('http1', herald);
    using publisher = await Publisher.of(herald);
    for (const data of ['1', '2']) await publisher.publish({ topic: 'urn:t', data });
    const worst = ['>; rel="x"', '\r\nset-cookie: a=b', '<script>', '"', 'ü☃', '%0d%0a', '\u0000'];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.constantFrom(...worst), fc.string()), { maxLength: 4 }), async (parts) => {
        const response = await ask(asker, `match=urn:t&limit=1&other=${encodeURIComponent(parts.join(''))}`);
        expect([response.status, response.headers['set-cookie']]).toEqual([200, undefined]);
        expect(response.headers['link']).toMatch(/^<[^<>"\s]+>; rel="next"$/);
      }),
      { numRuns: 50 },
    );
  });
});
