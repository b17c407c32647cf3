import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { askAdmin } from '../support/admin.js';
import { Application, type Asked, grant } from '../support/application.js';
import { openStream } from '../support/event-stream.js';
import { Herald, startHerald } from '../support/herald.js';
import {
  ADMIN_KEY,
  HUB,
  noticesOf,
  publisherToken,
  RESOURCE,
  startHub,
  subscribe,
  subscriberToken,
  TLS_ENVIRONMENT,
} from '../support/hub.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';
import { type Answer, ask, dataOf, FORM } from '../protocol/exchange.js';

const OWN = 'https://hub.example';
const ANN = 'https://example.com/users/ann';
const BOB = 'https://example.com/users/bob';

/** Each user may read what is at an address of their own; Ann is an author besides. */
const USERS: Readonly<Record<string, object>> = {
  'session=ann': {
    sub: 'ann',
    subscribe: [ANN],
    publish: [{ match: 'https://example.com/*', match_type: 'urlpattern' }],
  },
  'session=bob': { sub: 'bob', subscribe: [{ match: BOB }] },
};

describe('an application that says who may do what', () => {
  let application: Application;
  let herald: Herald;

  function usual({ headers }: Asked, response: Parameters<Application['respond']>[1]): void {
    const user = USERS[headers.cookie ?? ''] ?? (headers.authorization === 'Bearer opaque-ann' && USERS['session=ann']);
    if (user) grant(response, user);
    else response.writeHead(204).end();
  }

  beforeAll(async () => {
    application = await Application.start(usual);
    herald = await startHub({
      HERALD_AUTHORIZE_URL: application.url,
      HERALD_ADMIN_KEY: ADMIN_KEY,
      HERALD_CORS_ORIGINS: 'https://app.example',
      HERALD_PUBLISH_ORIGINS: 'https://app.example',
      HERALD_TRUST_PROXY: 'true',
      HERALD_LEGACY: 'false',
    });
  });
  afterEach(() => {
    application.respond = usual;
    application.asked.length = 0;
  });
  afterAll(async () => {
    await herald[Symbol.asyncDispose]();
    await application[Symbol.asyncDispose]();
  });

  function write(headers: Readonly<Record<string, string>>, topic = ANN, data = 'x'): Promise<Answer> {
    const body = new URLSearchParams({ topic, data, private: 'on' }).toString();
    return ask(herald, { method: 'POST', headers: { ...FORM, ...headers }, body });
  }

  it('is asked with the credentials of the request, and told what is to be done, and nothing else', async () => {
    const headers = {
      cookie: 'session=ann',
      authorization: 'Bearer opaque',
      'x-secret': 'no',
      'x-forwarded-for': '192.0.2.7',
    };
    await ask(herald, { query: 'match=urn:a', headers: { ...headers, origin: 'https://app.example' } });
    const [{ method, headers: given, body } = {} as Asked] = application.asked;
    expect([method, body]).toEqual([
      'POST',
      { action: 'subscribe', origin: 'https://app.example', address: '192.0.2.7' },
    ]);
    expect(given).toMatchObject({
      cookie: 'session=ann',
      authorization: 'Bearer opaque',
      'content-type': 'application/json',
    });
    expect(JSON.stringify(given)).not.toMatch(/x-secret|x-forwarded-for|origin|user-agent":"(?!node)/);
    await write({ cookie: 'session=ann', origin: OWN });
    expect(application.asked[1]?.body).toEqual({ action: 'publish', origin: OWN, address: '127.0.0.1' });
  });

  it.each<Transport>([...TRANSPORTS])('gives each user what is theirs, over %s', async (transport) => {
    await using hub = await startHub({
      HERALD_AUTHORIZE_URL: application.url,
      ...(transport !== 'http1' && TLS_ENVIRONMENT),
    });
    const open = (cookie: string) => subscribeOver(transport, hub, `${HUB}?match=*&without=notices`, { cookie });
    await using ann = await open('session=ann');
    await using bob = await open('session=bob');
    await using stranger = await open('session=nobody');
    await Promise.all([ann, bob, stranger].map((client) => client.until(({ hasBegun }) => hasBegun)));
    const token = await publisherToken();
    for (const [topic, data] of [
      [ANN, 'for ann'],
      [BOB, 'for bob'],
      ['urn:all', 'for all'],
    ] as const) {
      const body = new URLSearchParams({ topic, data, ...(topic !== 'urn:all' && { private: 'on' }) }).toString();
      // A token counts beside the sessions, and the application is not asked about it.
      const answer = await ask(hub, { method: 'POST', headers: FORM, body, token });
      expect(answer.status).toBe(200);
    }
    await Promise.all(
      [ann, bob, stranger].map((client) => client.until(({ events }) => events.at(-1)?.data === 'for all')),
    );
    expect([ann, bob, stranger].map(({ events }) => events.map(({ data }) => data))).toEqual([
      ['for ann', 'for all'],
      ['for bob', 'for all'],
      ['for all'],
    ]);
    expect(application.asked.map(({ body }) => body['action'])).toEqual(['subscribe', 'subscribe', 'subscribe']);
  });

  it('lets a user publish what is granted, from pages of allowed origins only', async () => {
    const cookie = 'session=ann';
    expect(await write({ cookie, origin: OWN })).toMatchObject({ status: 200 });
    expect(await write({ cookie, origin: 'https://app.example' })).toMatchObject({ status: 200 });
    expect(await write({ cookie, origin: OWN }, 'urn:other')).toMatchObject({
      status: 403,
      code: 'insufficient-scope',
    });
    expect(await write({ cookie: 'session=bob', origin: OWN })).toMatchObject({ status: 403 });
    application.asked.length = 0;
    // A browser adds a password that it knows to requests of any page, as it does with a cookie.
    const authorization = 'Basic YW5uOnNlY3JldA==';
    const forged = [
      { cookie, origin: 'https://evil.example' },
      { cookie },
      { cookie, origin: 'null' },
      { authorization },
    ];
    for (const headers of forged as readonly Record<string, string>[]) {
      expect(await write(headers)).toMatchObject({ status: 400, code: 'origin-refused' });
    }
    expect(application.asked).toEqual([]);
  });

  it('knows tokens of its own, which no page can be made to send', async () => {
    const authorization = 'Bearer opaque-ann';
    expect(await write({ authorization })).toMatchObject({ status: 200 });
    expect(await write({ authorization: 'Bearer opaque-unknown' })).toMatchObject({
      status: 401,
      code: 'token-invalid',
    });
    const foreign = await subscriberToken({ claims: { iss: 'https://elsewhere.example' } });
    expect(await ask(herald, { query: 'match=urn:a', token: foreign })).toMatchObject({
      status: 401,
      code: 'token-invalid',
    });
    expect(application.asked.at(-1)?.headers.authorization).toBe(`Bearer ${foreign}`);
  });

  it('takes 204 for nobody in particular, who may not publish, nor read where there is no anonymity', async () => {
    expect(await write({ cookie: 'session=nobody', origin: OWN })).toMatchObject({ status: 401, code: 'unauthorized' });
    expect(await write({})).toMatchObject({ status: 401, code: 'unauthorized' });
    await using strict = await startHub({ HERALD_AUTHORIZE_URL: application.url, HERALD_ANONYMOUS: 'false' });
    expect(await ask(strict, { query: 'match=urn:a' })).toMatchObject({ status: 401, code: 'unauthorized' });
    expect((await ask(strict, { query: 'match=urn:a', headers: { cookie: 'session=bob' } })).status).toBe(200);
  });

  it.each([
    [401, 'session-invalid'],
    [403, 'session-forbidden'],
  ])('passes on why it answers %d', async (status, code) => {
    application.respond = (_, response) => {
      response.writeHead(status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ detail: `Your trial\n is over. ${'x'.repeat(500)}` }));
    };
    const refusal = await ask(herald, { query: 'match=urn:a', headers: { cookie: 'session=ann' } });
    expect(refusal).toMatchObject({ status, code });
    const { detail } = JSON.parse(refusal.text) as { detail: string };
    expect(detail).toMatch(/^Your trial is over\. x+$/);
    expect(detail).toHaveLength(200);
    application.respond = (_, response) => response.writeHead(status).end('<html>');
    expect((await ask(herald, { query: 'match=urn:a' })).text).toContain('log in, and try again');
  });

  it('is asked again for each request, or as seldom as its max-age says, whatever is done, and once for all who ask at once', async () => {
    const cookie = 'session=cached';
    application.respond = (_, response) => grant(response, { sub: 'ann', subscribe: [ANN], publish: [ANN] });
    for (let count = 0; count < 3; count += 1) await ask(herald, { query: 'match=urn:a', headers: { cookie } });
    expect(application.asked).toHaveLength(3);
    application.respond = (_, response) => {
      grant(response, { sub: 'ann', subscribe: [ANN], publish: [ANN] }, 'private, max-age=3600');
    };
    await Promise.all(Array.from({ length: 20 }, () => ask(herald, { query: 'match=urn:a', headers: { cookie } })));
    expect(await write({ cookie, origin: OWN })).toMatchObject({ status: 200 });
    // It may be that one or two came after the first answer, which is remembered by then.
    expect(application.asked).toHaveLength(4);
    await ask(herald, { query: 'match=urn:a', headers: { cookie: 'session=other' } });
    expect(application.asked).toHaveLength(5);
  });

  it('has streams end when the session does, and when its subject is revoked', async () => {
    const exp = Date.now() / 1_000 + 2;
    application.respond = (_, response) => grant(response, { sub: 'ann', subscribe: [ANN], exp }, 'max-age=60');
    await using ending = await subscribe(herald, { query: 'match=urn:a', headers: { cookie: 'session=ending' } });
    expect(await ending.ended).toBe(true);
    expect(noticesOf(ending)).toEqual([{ type: 'expired' }]);
    expect(Date.now() / 1_000).toBeLessThan(exp + 0.5);
    const late = await ask(herald, { query: 'match=urn:a', headers: { cookie: 'session=late' } });
    expect(late).toMatchObject(Date.now() / 1_000 < exp ? { status: 200 } : { status: 401, code: 'session-invalid' });

    application.respond = (_, response) => grant(response, { sub: 'carol', subscribe: [ANN] }, 'max-age=60');
    const headers = { cookie: 'session=carol' };
    await using revoked = await subscribe(herald, { query: 'match=urn:a', headers });
    const issuedBefore = Math.floor(Date.now() / 1_000) + 3;
    await askAdmin(herald, 'POST', 'revocations', { body: { subject: 'carol', issued_before: issuedBefore } });
    expect(await revoked.ended).toBe(true);
    expect(noticesOf(revoked)).toEqual([{ type: 'revoked' }]);
    expect(await ask(herald, { query: 'match=urn:a', headers })).toMatchObject({ status: 401, code: 'token-revoked' });
    while (Date.now() / 1_000 <= issuedBefore) await ask(herald, { path: '/health/live' });
    // What is remembered does not outlive the revocation: the application is asked anew, and may let her in again.
    expect((await ask(herald, { query: 'match=urn:a', headers })).status).toBe(200);
  });

  it('never decides who is an administrator', async () => {
    application.respond = (_, response) => grant(response, { sub: 'ann', subscribe: ['*'], publish: ['*'] });
    const answer = await ask(herald, { path: '/admin/connections', headers: { cookie: 'session=ann' } });
    expect([answer.status, application.asked]).toEqual([401, []]);
  });

  it.each<[string, Application['respond']]>([
    ['fails', (_, response) => response.writeHead(500).end()],
    ['sends people elsewhere', (_, response) => response.writeHead(302, { location: '/login' }).end()],
    ['says something else than JSON', (_, response) => response.writeHead(200).end('<html>')],
    ['grants something malformed', (_, response) => grant(response, { sub: 1 })],
    [
      'grants a pattern that is none',
      (_, response) => grant(response, { subscribe: [{ match: '(', match_type: 'urlpattern' }] }),
    ],
    ['grants too much', (_, response) => grant(response, { subscribe: Array.from({ length: 101 }, String) })],
    ['talks too much', (_, response) => grant(response, { payload: { text: 'x'.repeat(70_000) } })],
    ['breaks off', (_, response) => response.destroy()],
    ['says nothing', () => undefined],
  ])('does not stop streams for good, and has publishers try later, where it %s', async (_, respond) => {
    application.respond = respond;
    const headers = { cookie: 'session=ann', accept: 'text/event-stream' };
    const [stream, refusal] = await Promise.all([
      openStream(`${herald.url}${HUB}?match=urn:a`, { headers }),
      write({ cookie: 'session=ann', origin: OWN }),
    ]);
    expect(stream.response.statusCode).toBe(200);
    expect(await stream.ended).toBe(true);
    expect([noticesOf(stream), stream.retries.length > 0]).toEqual([[{ type: 'unavailable' }], true]);
    expect(refusal).toMatchObject({ status: 503, code: 'authorization-unavailable' });
    expect(Number(refusal.headers['retry-after'])).toBeGreaterThan(0);
    application.respond = usual;
    expect((await ask(herald, { query: 'match=urn:a', headers })).status).toBe(200);
    expect(herald.logs()).toMatch(/asking the application who may do what works again/);
  });

  it('is asked about so many requests at once, while the others wait', async () => {
    const waiting: (() => void)[] = [];
    application.respond = (_, response) => void waiting.push(() => grant(response, { sub: 'x', subscribe: [ANN] }));
    application.most = 0;
    const answers = Array.from({ length: 200 }, (_, index) =>
      ask(herald, { query: 'match=urn:a', headers: { cookie: `session=${index}` } }),
    );
    while (application.asked.length < 64) await ask(herald, { path: '/health/live' });
    for (let answered = 0; answered < 200; answered += 1) {
      while (waiting.length === 0) await ask(herald, { path: '/health/live' });
      waiting.shift()?.();
    }
    expect((await Promise.all(answers)).filter(({ status }) => status !== 200)).toEqual([]);
    expect(application.most).toBeLessThanOrEqual(64);
  });

  it('is all that production needs, and no credentials come into the log', async () => {
    const env = { NODE_ENV: 'production', HOST: '127.0.0.1', HERALD_RESOURCE: RESOURCE, LOG_LEVEL: 'trace' };
    await using production = await startHerald({ env: { ...env, HERALD_AUTHORIZE_URL: application.url } });
    expect((await ask(production, { query: 'match=urn:a', headers: { cookie: 'session=ann' } })).status).toBe(200);
    const jwt = await subscriberToken();
    expect(await ask(production, { query: 'match=urn:a', token: jwt })).toMatchObject({
      status: 401,
      code: 'token-invalid',
    });
    await production.kill();
    for (const { logs } of [production, herald].map((one) => ({ logs: one.logs() }))) {
      expect(logs).not.toMatch(/session=|opaque|eyJ/);
    }
    await using mistaken = Herald.spawn({ env: { HERALD_AUTHORIZE_URL: 'http://user:secret@127.0.0.1/' } });
    expect(await mistaken.exit()).toMatchObject({ code: 78 });
    expect(mistaken.logs()).toMatch(/HERALD_AUTHORIZE_URL must be an http or https URL/);
    expect(mistaken.logs()).not.toContain('secret');
  });

  it('counts on the stream that was asked for, too', async () => {
    await using stream = await subscribe(herald, { query: `match=${ANN}`, headers: { cookie: 'session=ann' } });
    await write({ cookie: 'session=ann', origin: OWN }, ANN, 'mine');
    await stream.take(1);
    expect(dataOf(stream)).toEqual(['mine']);
  });
});
