import type { IncomingMessage, ServerResponse } from 'node:http';
import { json as jsonOf } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Inject,
  Injectable,
  type INestApplication,
  Module,
  Post,
  SetMetadata,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { HeraldAdministrationModule, HubAdminGuard } from '../../src/herald/administration/index.js';
import { HeraldModule, type HubRequest, HubService, hubToken } from '../../src/herald/index.js';
import { adminToken } from '../support/hub.js';
import { ask, beside, come, expectEnd, OPTIONS, subjectsIn } from '../support/team-administration.js';
import { ADAPTERS, type Adapter, TeamApp } from '../support/team-app.js';

/* Administration among what an application of a team's own has else: a prefix, guards, parsers, several hubs. */

/** Another hub of the same application. */
const ORDERS = '/orders/hub';

const ORDERS_URL = `https://hub.example${ORDERS}`;

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

/** Its path begins as one does whose bodies the hub reads itself. */
@Controller('admin/revocations')
class NamesakeController {
  @Post('own')
  echo(@Body() body: unknown): unknown {
    return { body };
  }
}

describe.each(ADAPTERS)('an application on %s with administration', (adapter) => {
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
