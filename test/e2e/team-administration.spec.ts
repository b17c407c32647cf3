import type { IncomingMessage, ServerResponse } from 'node:http';
import { json as jsonOf } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import {
  type ArgumentsHost,
  Body,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Inject,
  Injectable,
  type INestApplication,
  Module,
  type ModuleMetadata,
  Post,
  SetMetadata,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost, Reflector } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { HeraldAdministrationModule, HubAdminGuard } from '../../src/herald/administration/index.js';
import {
  type HeraldExtras,
  HeraldModule,
  type HeraldOptions,
  type HubRequest,
  HubService,
  hubToken,
  parseKey,
} from '../../src/herald/index.js';
import type { EventStream } from '../support/event-stream.js';
import {
  ADMIN_KEY,
  adminToken,
  HUB,
  ISSUER,
  noticesOf,
  RESOURCE,
  SUBSCRIBER_KEY,
  subscriberToken,
} from '../support/hub.js';
import { ADAPTERS, type Adapter, TeamApp } from '../support/team-app.js';

/* Administration in an application of a team's own, which imports it beside its hub. */

const KEYS = { subscriber: parseKey(SUBSCRIBER_KEY), admin: parseKey(ADMIN_KEY) };

const OPTIONS: HeraldOptions = { hubUrl: RESOURCE, auth: { issuers: [{ issuer: ISSUER, keys: KEYS }] } };

/** Another hub of the same application. */
const ORDERS = '/orders/hub';

const ORDERS_URL = `https://hub.example${ORDERS}`;

interface Question {
  /** Another token than an administrator's, or none where it is empty. */
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly type?: string;
}

interface Answer {
  readonly status: number | undefined;
  readonly type: unknown;
  readonly process: unknown;
  readonly body: Record<string, unknown>;
}

async function ask(
  team: TeamApp,
  method: 'DELETE' | 'GET' | 'POST',
  path: string,
  { token, headers = {}, body, type = 'application/json' }: Question = {},
): Promise<Answer> {
  const bearer = token ?? (await adminToken());
  const answer = await team.ask(path, {
    method,
    headers: {
      ...(bearer && { authorization: `Bearer ${bearer}` }),
      ...(body !== undefined && { 'content-type': type }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  });
  return {
    status: answer.status,
    type: answer.headers['content-type'],
    process: answer.headers['herald-process'],
    body: JSON.parse(answer.text) as Record<string, unknown>,
  };
}

/** Somebody who reads. */
async function come(team: TeamApp, subject: string, { hub = HUB, aud = RESOURCE, jti = subject } = {}) {
  const token = await subscriberToken({ subject, claims: { jti, aud } });
  const stream = await team.open(`${hub}?match=urn:a`, { authorization: `Bearer ${token}` });
  return stream.until(({ retries }) => retries.length > 0);
}

async function expectEnd(stream: EventStream, reason: string): Promise<void> {
  expect(await stream.ended).toBe(true);
  expect(noticesOf(stream).at(-1)).toMatchObject({ type: reason });
}

function subjectsIn({ body }: Answer): unknown {
  return (body['connections'] as { subject: string }[]).map(({ subject }) => subject);
}

/** A hub that no module is global of, with administration around it. */
function beside(
  options: HeraldOptions & HeraldExtras = OPTIONS,
  own: Parameters<typeof HeraldAdministrationModule.forRoot>[0] = {},
): NonNullable<ModuleMetadata['imports']> {
  const hub = HeraldModule.forRoot(options);
  return [
    hub,
    HeraldAdministrationModule.forRoot({ name: options.name, ...own, imports: [hub, ...(own.imports ?? [])] }),
  ];
}

/** Has something of the application's read all JSON before the hub comes to it. */
function readBefore(adapter: Adapter, app: INestApplication): void {
  if (adapter === 'Express') {
    app.use(async (request: IncomingMessage & { body?: unknown }, _: ServerResponse, next: () => void) => {
      if (request.method === 'POST') request.body = await jsonOf(request);
      next();
    });
    return;
  }
  const fastify = app.getHttpAdapter().getInstance() as FastifyInstance;
  fastify.addHook('preHandler', async (request) => {
    if (request.method === 'POST') request.body = await jsonOf(request.raw);
  });
}

/** Who is on duty, for a guard that gets it from a module of the application's. */
@Injectable()
class Duty {
  readonly name = 'zoe';
}

@Module({ providers: [Duty], exports: [Duty] })
class DutyModule {}

@Injectable()
class OnDuty implements CanActivate {
  constructor(@Inject(Duty) private readonly duty: Duty) {}

  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<HubRequest>().headers['x-user'] === this.duty.name;
  }
}

@Catch()
class CatchEverything implements ExceptionFilter {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(_: unknown, host: ArgumentsHost): void {
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), {}, 500);
  }
}

/** Its path begins as one does whose bodies the hub reads itself. */
@Controller('admin/revocations')
class NamesakeController {
  @Post('own')
  echo(@Body() body: unknown): unknown {
    return { body };
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

    it('may have been read by the application', async () => {
      await using team = await TeamApp.start(adapter, { imports: beside() }, (app) => readBefore(adapter, app));
      await using ann = await come(team, 'ann');
      const answer = await ask(team, 'POST', '/admin/revocations', { body: '{"subject":"ann"}' });
      expect(answer).toMatchObject({ status: 200, body: { disconnected: 1 } });
      await expectEnd(ann, 'revoked');
      expect(await ask(team, 'POST', '/admin/revocations', { body: '[]' })).toMatchObject({
        status: 400,
        body: { code: 'criteria-invalid' },
      });
    });

    it('takes none from a route of the application’s own below it', async () => {
      const module = { imports: beside(), controllers: [NamesakeController] };
      await using team = await TeamApp.start(adapter, module);
      const answer = await ask(team, 'POST', '/admin/revocations/own', { body: '{"title":"a book"}' });
      expect(answer.body).toEqual({ body: { title: 'a book' } });
    });
  });

  it('is below the global prefix, at a path of its own, and has no version', async () => {
    const module = { imports: beside(OPTIONS, { path: '/operators/hub' }) };
    await using team = await TeamApp.start(adapter, module, (app) => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    });
    await using ann = await come(team, 'ann');
    expect(subjectsIn(await ask(team, 'GET', '/api/operators/hub/connections'))).toEqual(['ann']);
    // As bytes, which the application's own parser has not seen.
    expect(await ask(team, 'POST', '/api/operators/hub/revocations', { body: '{' })).toMatchObject({
      status: 400,
      body: { code: 'criteria-invalid' },
    });
    const answer = await ask(team, 'POST', '/api/operators/hub/revocations', { body: '{"subject":"ann"}' });
    expect(answer).toMatchObject({ status: 200, body: { disconnected: 1 } });
    await expectEnd(ann, 'revoked');
    for (const path of ['/admin/connections', '/api/admin/connections', '/operators/hub/connections']) {
      expect(await team.ask(path)).toMatchObject({ status: 404 });
    }
  });

  it('asks guards of the application’s own, alone or before the usual one', async () => {
    await using team = await TeamApp.start(adapter, {
      imports: beside(OPTIONS, { imports: [DutyModule], guards: [OnDuty] }),
    });
    expect(await ask(team, 'GET', '/admin/connections')).toMatchObject({ status: 403 });
    const zoe = { 'x-user': 'zoe' };
    expect(await ask(team, 'GET', '/admin/connections', { token: '', headers: zoe })).toMatchObject({ status: 200 });
    await using both = await TeamApp.start(adapter, {
      imports: beside(OPTIONS, { imports: [DutyModule], guards: [OnDuty, HubAdminGuard] }),
    });
    expect(await ask(both, 'GET', '/admin/connections', { token: '', headers: zoe })).toMatchObject({ status: 401 });
    expect(await ask(both, 'GET', '/admin/connections', { headers: zoe })).toMatchObject({ status: 200 });
  });

  it('wears what the application’s global guards look for', async () => {
    const guard = {
      provide: APP_GUARD,
      inject: [Reflector],
      useFactory: (reflector: Reflector) => ({
        canActivate: (context: ExecutionContext) => reflector.get('public', context.getClass()) === true,
      }),
    };
    const decorators = [SetMetadata('public', true)];
    for (const [own, status] of [
      [{}, 403],
      [{ decorators }, 200],
    ] as const) {
      await using team = await TeamApp.start(adapter, { imports: beside(OPTIONS, own), providers: [guard] });
      expect(await ask(team, 'GET', '/admin/connections')).toMatchObject({ status });
    }
  });

  it('needs no imports around a hub that is global', async () => {
    const hub = HeraldModule.forRoot({ ...OPTIONS, isGlobal: true });
    await using team = await TeamApp.start(adapter, { imports: [hub, HeraldAdministrationModule.forRoot()] });
    await using _ann = await come(team, 'ann');
    expect(subjectsIn(await ask(team, 'GET', '/admin/connections'))).toEqual(['ann']);
  });

  it('is of one hub, where the application has several', async () => {
    const orders = { ...OPTIONS, hubUrl: ORDERS_URL, name: 'orders', path: ORDERS };
    await using team = await TeamApp.start(adapter, {
      imports: [...beside(), ...beside(orders, { path: 'orders/admin' })],
    });
    await using ann = await come(team, 'ann');
    await using bob = await come(team, 'bob', { hub: ORDERS, aud: ORDERS_URL });
    const token = await adminToken({ claims: { aud: ORDERS_URL } });
    const question = { token, body: '{"issued_before":4102444800}' };
    expect(subjectsIn(await ask(team, 'GET', '/admin/connections'))).toEqual(['ann']);
    expect(subjectsIn(await ask(team, 'GET', '/orders/admin/connections', { token }))).toEqual(['bob']);
    expect(await ask(team, 'GET', '/admin/connections', { token })).toMatchObject({ status: 401 });
    expect(team.app.get<HubService>(hubToken('orders'), { strict: false }).connections().total).toBe(1);
    expect(await ask(team, 'POST', '/orders/admin/revocations', question)).toMatchObject({ body: { disconnected: 1 } });
    await expectEnd(bob, 'revoked');
    expect(ann.response.closed).toBe(false);
  });
});
