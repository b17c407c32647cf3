import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { askAdmin as ask, type Listed, untilConnections } from '../support/admin.js';
import { EventStream, openStream, send } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { ADMIN_KEY, adminToken, form, HUB, noticesOf, startHub, subscriberToken } from '../support/hub.js';

interface Person {
  readonly subject?: string;
  readonly jti?: string;
  /** Seconds since the epoch. */
  readonly iat?: number;
}

async function tokenOf({ subject, jti, iat }: Person): Promise<string> {
  const claims = { ...(jti !== undefined && { jti }), ...(iat !== undefined && { iat }) };
  return subscriberToken({ ...(subject !== undefined && { subject }), claims });
}

function lastNotice(stream: EventStream): unknown {
  return noticesOf(stream).at(-1)?.['type'];
}

describe('without an administrator key', () => {
  it('there is nothing at the paths of administrators, whoever asks', async () => {
    await using herald = await startHub();
    for (const token of ['', await adminToken(), await subscriberToken()]) {
      for (const [method, path] of [
        ['GET', 'connections'],
        ['GET', 'connections/1'],
        ['DELETE', 'connections?id=1'],
        ['POST', 'revocations'],
      ] as const) {
        const { status, body } = await ask(herald, method, path, {
          token,
          ...(method === 'POST' && { body: { jti: 'x' } }),
        });
        expect([method, status, body['code']]).toEqual([method, 404, 'not-found']);
      }
    }
  });
});

describe('administration', () => {
  let herald: Herald;
  const open: EventStream[] = [];

  beforeAll(async () => {
    herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_PROTECT_EVENTS: 'true', HERALD_ANONYMOUS: 'false' });
  });
  afterAll(() => herald[Symbol.asyncDispose]());
  afterEach(async () => {
    for (const stream of open.splice(0)) await stream[Symbol.asyncDispose]();
    await untilConnections(herald, ({ length }) => length === 0);
  });

  async function come(person: Person, path = `${HUB}?match=urn:a`): Promise<EventStream> {
    const headers = { authorization: `Bearer ${await tokenOf(person)}` };
    const stream = await openStream(herald.url + path, { headers });
    open.push(stream);
    return stream.until(({ retries }) => retries.length > 0);
  }

  async function statusFor(person: Person, path = `${HUB}?match=urn:a`): Promise<number | undefined> {
    const response = await send(herald.url + path, { headers: { authorization: `Bearer ${await tokenOf(person)}` } });
    response.destroy();
    return response.statusCode;
  }

  async function list(query = ''): Promise<{ connections: Listed[]; total: number; next?: number }> {
    const { status, body } = await ask(herald, 'GET', `connections${query}`);
    expect(status).toBe(200);
    return body as never;
  }

  it('wants a token that says so', async () => {
    for (const [token, status, code] of [
      ['', 401, 'unauthorized'],
      ['a.b.c', 401, 'token-invalid'],
      [await subscriberToken(), 401, 'token-invalid'],
      [await subscriberToken({ key: ADMIN_KEY }), 403, 'insufficient-scope'],
      [await adminToken({ claims: { authorization_details: [] } }), 403, 'insufficient-scope'],
      [await adminToken({ claims: { aud: 'https://other.example/' } }), 401, 'token-invalid'],
      [await adminToken({ expires: new Date(Date.now() - 10_000) }), 401, 'token-invalid'],
    ] as const) {
      for (const [method, path] of [
        ['GET', 'connections'],
        ['GET', 'connections/1'],
        ['DELETE', 'connections?id=1'],
        ['POST', 'revocations'],
      ] as const) {
        const answer = await ask(herald, method, path, { token, ...(method === 'POST' && { body: { jti: 'x' } }) });
        expect([method, answer.status, answer.body['code']]).toEqual([method, status, code]);
      }
    }
  });

  it('lists who is connected, and nothing that is secret', async () => {
    await come({ subject: 'ann', jti: 'token-1' });
    await come({ subject: 'bob' }, '/events');
    const { connections, total } = await list();
    expect(total).toBe(2);
    expect(connections).toMatchObject([
      {
        id: expect.any(Number),
        requestId: expect.any(String),
        address: '127.0.0.1',
        subject: 'ann',
        issuer: 'herald',
        token: 'token-1',
        expiresAt: expect.any(Number),
        age: expect.any(Number),
        matcherCount: 1,
        state: 'live',
        isFull: false,
      },
      { subject: 'bob', events: expect.any(Number) },
    ]);
    expect(JSON.stringify(connections)).not.toContain(await tokenOf({ subject: 'ann', jti: 'token-1' }));
  });

  it('tells in short who has subscribed to much, and in full who is asked for', async () => {
    const patterns = Array.from(
      { length: 100 },
      (_, index) => `urn:${String(index).padStart(3, '0')}:${'x'.repeat(1_200)}`,
    );
    const headers = {
      authorization: `Bearer ${await tokenOf({ subject: 'ann', jti: 'token-1' })}`,
      'content-type': 'application/x-www-form-urlencoded',
    };
    const stream = new EventStream(
      await send(herald.url + HUB, { method: 'QUERY', headers }, form({ match: patterns })),
    );
    open.push(await stream.until(({ retries }) => retries.length > 0));
    const { connections } = await list();
    expect(connections).toEqual([expect.objectContaining({ subject: 'ann', matcherCount: 100 })]);
    expect(JSON.stringify(connections).length).toBeLessThan(1_024);
    const { status, body } = await ask(herald, 'GET', `connections/${connections[0]?.id}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      ...connections[0],
      age: expect.any(Number),
      matchers: patterns.map((pattern) => ({ type: 'exact', pattern })),
    });
  });

  it('tells in full of a stream that is none of the hub’s, and of nobody who is not there', async () => {
    await come({ subject: 'bob' }, '/events');
    const { connections } = await list();
    const id = connections[0]?.id ?? 0;
    expect(await ask(herald, 'GET', `connections/${id}`)).toMatchObject({ status: 200, body: { id, subject: 'bob' } });
    for (const other of [id - 1, id + 1, 999_999_999, 0, -1, 'x', '1e999', '%20']) {
      expect(await ask(herald, 'GET', `connections/${other}`)).toMatchObject({
        status: 404,
        body: { code: 'not-found' },
      });
    }
  });

  it('lists page by page, each connection once', async () => {
    for (let index = 0; index < 7; index += 1)
      await come({ subject: index % 2 === 0 ? 'even' : 'odd', jti: `t${index}` });
    const seen: unknown[] = [];
    let pages = 0;
    for (let query: string | undefined = '?limit=3'; query !== undefined;) {
      const { connections, next, total } = await list(query);
      pages += 1;
      expect(total).toBe(7);
      seen.push(...connections.map(({ token }) => token));
      query = next === undefined ? undefined : `?limit=3&after=${next}`;
    }
    expect([pages, seen]).toEqual([3, ['t0', 't1', 't2', 't3', 't4', 't5', 't6']]);
    expect((await list('?subject=odd')).connections.map(({ token }) => token)).toEqual(['t1', 't3', 't5']);
    expect((await list('?token=t4')).connections).toHaveLength(1);
    // A page that is just full is the last one if nothing follows.
    expect(await list('?limit=7')).not.toHaveProperty('next');
  });

  it.each([
    ['GET', 'connections?limit=0'],
    ['GET', 'connections?limit=1001'],
    ['GET', 'connections?after=-1'],
    ['GET', 'connections?who=ann'],
    ['GET', 'connections?limit=1&limit=2'],
    ['DELETE', 'connections?id=x'],
    ['DELETE', 'connections?subject='],
    ['DELETE', 'connections?user=ann'],
  ])('refuses %s %s', async (method, path) => {
    expect(await ask(herald, method, path)).toMatchObject({ status: 400, body: { code: 'criteria-invalid' } });
  });

  it('never takes no criteria for everybody', async () => {
    const stream = await come({ subject: 'ann' });
    expect(await ask(herald, 'DELETE', 'connections')).toMatchObject({
      status: 400,
      body: { code: 'criteria-missing' },
    });
    expect(await ask(herald, 'POST', 'revocations', { body: {} })).toMatchObject({
      status: 400,
      body: { code: 'criteria-missing' },
    });
    for (const body of [
      '{',
      '[]',
      'null',
      { sub: 'ann' },
      { issued_before: 'now' },
      { issued_before: 1.5 },
      { jti: '' },
    ]) {
      expect(await ask(herald, 'POST', 'revocations', { body })).toMatchObject({
        status: 400,
        body: { code: 'criteria-invalid' },
      });
    }
    expect(stream.response.closed).toBe(false);
    expect(noticesOf(stream)).toEqual([]);
  });

  it('ends connections by subject, token or number, cleanly and after saying so, and no others', async () => {
    const [bySubject, byToken, byNumber, other] = [
      await come({ subject: 'ann' }),
      await come({ subject: 'bob', jti: 'token-2' }),
      await come({ subject: 'bob', jti: 'token-3' }, '/events'),
      await come({ subject: 'carl' }),
    ];
    const { connections } = await list('?token=token-3');
    for (const [stream, query] of [
      [bySubject, 'subject=ann'],
      [byToken, 'subject=bob&token=token-2'],
      [byNumber, `id=${connections[0]?.id}`],
    ] as const) {
      expect(await ask(herald, 'DELETE', `connections?${query}`)).toMatchObject({
        status: 200,
        body: { disconnected: 1 },
      });
      expect(await stream.ended).toBe(true);
      expect(lastNotice(stream)).toBe('dismissed');
    }
    expect(await ask(herald, 'DELETE', 'connections?subject=nobody')).toMatchObject({ body: { disconnected: 0 } });
    expect(other.response.closed).toBe(false);
    // Who holds a good token may come back.
    expect(await statusFor({ subject: 'ann' })).toBe(200);
  });

  describe('revoking', () => {
    it.each<[string, Person, Person, object]>([
      ['by jti', { subject: 'eve', jti: 'bad' }, { subject: 'eve', jti: 'good' }, { jti: 'bad' }],
      ['by subject', { subject: 'mallory' }, { subject: 'ann' }, { subject: 'mallory' }],
      [
        'by subject and time of issue',
        { subject: 'trudy', iat: 1_000 },
        { subject: 'trudy', iat: 2_000 },
        { subject: 'trudy', issued_before: 2_000 },
      ],
      ['by time of issue', { subject: 'old', iat: 400 }, { subject: 'old', iat: 500 }, { issued_before: 500 }],
    ])('%s ends connections at once, refuses new ones, and leaves others alone', async (_, bad, good, revocation) => {
      // Tokens without a time of issue are older than any; the others of this suite have one.
      const other = await come({ iat: 5_000, ...good });
      const hub = await come(bad);
      const events = await come(bad, '/events');
      const answer = await ask(herald, 'POST', 'revocations', { body: revocation });
      expect(answer).toEqual({ status: 200, body: { disconnected: 2 } });
      for (const stream of [hub, events]) {
        expect(await stream.ended).toBe(true);
        expect(lastNotice(stream)).toBe('revoked');
        expect(stream.retries.length).toBeGreaterThan(1);
      }
      expect(other.response.closed).toBe(false);
      for (const path of [`${HUB}?match=urn:a`, '/events']) {
        expect(await statusFor(bad, path)).toBe(401);
        expect(await statusFor({ iat: 5_000, ...good }, path)).toBe(200);
      }
    });
  });
});
