import { describe, expect, it } from '@jest/globals';
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { HubService } from '../../src/herald/index.js';
import { ADMIN_KEY, adminToken, HUB, ISSUER, subscriberToken } from '../support/hub.js';
import { ask, beside, come, expectEnd, KEYS, OPTIONS, subjectsIn } from '../support/team-administration.js';
import { ADAPTERS, TeamApp } from '../support/team-app.js';

/* What administrators see and do in an application of a team's own, which imports administration beside its hub. */

@Catch()
class CatchEverything implements ExceptionFilter {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(_: unknown, host: ArgumentsHost): void {
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), {}, 500);
  }
}

describe.each(ADAPTERS)('administration in an application on %s', (adapter) => {
  it('lists connections and tells of each', async () => {
    await using team = await TeamApp.start(adapter, { imports: beside() });
    await using _ann = await come(team, 'ann');
    await using _bob = await come(team, 'bob');
    const list = await ask(team, 'GET', '/admin/connections?limit=1');
    expect([list.status, subjectsIn(list), list.body['total']]).toEqual([200, ['ann'], 2]);
    expect(subjectsIn(await ask(team, 'GET', '/admin/connections?subject=bob'))).toEqual(['bob']);
    expect(await ask(team, 'GET', '/admin/connections/2')).toMatchObject({
      status: 200,
      body: { id: 2, subject: 'bob', matchers: [{ type: 'exact', pattern: 'urn:a' }] },
    });
    const { body } = await ask(team, 'GET', '/admin/processes');
    expect(body).toMatchObject({ processes: [{ connections: 2, isThis: true }] });
  });

  it('dismisses connections', async () => {
    await using team = await TeamApp.start(adapter, { imports: beside() });
    await using ann = await come(team, 'ann');
    await using bob = await come(team, 'bob');
    const answer = await ask(team, 'DELETE', '/admin/connections?subject=ann');
    expect(answer).toMatchObject({ status: 200, body: { disconnected: 1 } });
    await expectEnd(ann, 'dismissed');
    expect(bob.response.closed).toBe(false);
  });

  it('revokes tokens: their streams end, and they are refused', async () => {
    await using team = await TeamApp.start(adapter, { imports: beside() });
    await using ann = await come(team, 'ann', { jti: 'lost' });
    await using bob = await come(team, 'bob');
    const answer = await ask(team, 'POST', '/admin/revocations', { body: '{"jti":"lost"}' });
    expect(answer).toMatchObject({ status: 200, body: { disconnected: 1 } });
    await expectEnd(ann, 'revoked');
    expect(bob.response.closed).toBe(false);
    const token = await subscriberToken({ subject: 'ann', claims: { jti: 'lost' } });
    expect(await ask(team, 'GET', `${HUB}?match=urn:a`, { token })).toMatchObject({
      status: 401,
      body: { code: 'token-revoked' },
    });
  });

  it('shows topics, and purges updates', async () => {
    await using team = await TeamApp.start(adapter, { imports: beside() });
    const hub = team.app.get(HubService, { strict: false });
    for (const topic of ['urn:a', 'urn:a', 'urn:b']) await hub.publish({ topic, data: 'x' });
    expect(await ask(team, 'GET', '/admin/topics')).toMatchObject({
      body: {
        topics: [
          { topic: 'urn:a', count: 2 },
          { topic: 'urn:b', count: 1 },
        ],
      },
    });
    expect(await ask(team, 'DELETE', '/admin/updates?topic=urn:a')).toMatchObject({
      status: 200,
      body: { removed: 2 },
    });
    expect((await hub.history('*')).updates).toMatchObject([{ topics: ['urn:b'] }]);
    expect(await ask(team, 'DELETE', '/admin/updates')).toMatchObject({ body: { code: 'criteria-missing' } });
  });

  it('explains who has got what, and at which process', async () => {
    await using team = await TeamApp.start(adapter, { imports: beside() });
    const hub = team.app.get(HubService, { strict: false });
    await using ann = await come(team, 'ann');
    const id = await hub.publish({ topic: 'urn:a', data: 'x' });
    await ann.take(1);
    const answer = await ask(team, 'GET', `/admin/explain?id=${id}&subject=ann`);
    expect(answer).toMatchObject({ status: 200, process: hub.processId, body: { process: hub.processId } });
    expect(answer.body['explanations']).toMatchObject([{ verdict: 'written' }]);
  });

  it('has the process left alone, and serve again', async () => {
    await using team = await TeamApp.start(adapter, { imports: beside() });
    await using ann = await come(team, 'ann');
    expect(await ask(team, 'POST', '/admin/drain')).toMatchObject({ status: 200 });
    await expectEnd(ann, 'drain');
    expect(await ask(team, 'DELETE', '/admin/drain')).toMatchObject({ status: 200, body: { state: 'serving' } });
    await using bob = await come(team, 'bob');
    expect(await ask(team, 'POST', '/admin/rebalance?share=1')).toMatchObject({ status: 200, body: { lettingGo: 1 } });
    await expectEnd(bob, 'drain');
  });

  it.each(['GET', 'POST'] as const)(
    'refuses a %s as the hub does, whatever filters the application has',
    async (method) => {
      await using team = await TeamApp.start(adapter, { imports: beside() }, (app) =>
        app.useGlobalFilters(new CatchEverything(app.get(HttpAdapterHost))),
      );
      const path = method === 'GET' ? '/admin/connections' : '/admin/revocations';
      for (const [token, status, code] of [
        ['', 401, 'unauthorized'],
        [await subscriberToken(), 401, 'token-invalid'],
        [await subscriberToken({ key: ADMIN_KEY }), 403, 'insufficient-scope'],
      ] as const) {
        const answer = await ask(team, method, path, { token, ...(method === 'POST' && { body: '{"jti":"x"}' }) });
        expect(answer).toMatchObject({
          status,
          type: 'application/problem+json; charset=utf-8',
          body: { status, code },
        });
      }
    },
  );

  it('is not there without a key for administrators', async () => {
    const issuers = [{ issuer: ISSUER, keys: { subscriber: KEYS.subscriber } }];
    await using team = await TeamApp.start(adapter, { imports: beside({ ...OPTIONS, auth: { issuers } }) });
    for (const token of ['', await adminToken()]) {
      const answer = await ask(team, 'GET', '/admin/connections', { token });
      expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
    }
  });

  describe('the body of a revocation', () => {
    it.each([
      ['that is no JSON', '{', 'application/json', 400, 'criteria-invalid'],
      ['with fields that nobody knows', '{"sub":"ann"}', 'application/json', 400, 'criteria-invalid'],
      ['that means everybody', '{}', 'application/json', 400, 'criteria-missing'],
      [
        'that is a form, which needs no preflight',
        'jti=x',
        'application/x-www-form-urlencoded',
        415,
        'media-type-unsupported',
      ],
      ['that is too large', JSON.stringify({ jti: 'x'.repeat(1_000) }), 'application/json', 413, 'body-too-large'],
    ])('%s is refused', async (_, body, type, status, code) => {
      const options = { ...OPTIONS, hub: { bodies: { limit: 500 } } };
      await using team = await TeamApp.start(adapter, { imports: beside(options) });
      const answer = await ask(team, 'POST', '/admin/revocations', { body, type });
      expect(answer).toMatchObject({ status, type: 'application/problem+json; charset=utf-8', body: { code } });
    });

    it('is not waited for where nobody may revoke', async () => {
      await using team = await TeamApp.start(adapter, { imports: beside() });
      const question = { token: '', body: '{', headers: { 'content-length': '100000' } };
      expect(await ask(team, 'POST', '/admin/revocations', question)).toMatchObject({ status: 401 });
    });
  });
});
