import { describe, expect, it } from '@jest/globals';
import { Controller, type ExecutionContext, Get, Inject, Module, SetMetadata, VersioningType } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { HeraldHealthModule } from '../../src/herald/health/index.js';
import { HeraldModule, type Obstacle } from '../../src/herald/index.js';
import { type HubParts, partsToken } from '../../src/herald/module/hub-parts.js';
import { heraldHealth, HeraldHealthIndicator, InjectHeraldHealth } from '../../src/herald/terminus/index.js';
import { MemoryJournal } from '../../src/storage/journal/memory/memory-journal.js';
import type { Drain } from '../../src/streams/drain/drain.js';
import { RESOURCE } from '../support/hub.js';
import { ADAPTERS, TeamApp } from '../support/team-app.js';

/* Whether a process with a hub is alive, and whether to send it traffic, as a module that a team puts around a hub. */

/** Another hub of the same application, at a path that no standard fixes. */
const ORDERS = '/orders/hub';

const THE_HUB = HeraldModule.forRoot({ hubUrl: RESOURCE });

const NAMED = HeraldModule.forRoot({ hubUrl: `https://hub.example${ORDERS}`, name: 'orders', path: ORDERS });

const AROUND = HeraldHealthModule.forRoot({ imports: [THE_HUB] });

/** Refuses what it is told to. */
class RefusingJournal extends MemoryJournal {
  trouble: Obstacle | undefined;

  constructor() {
    super({ events: 10, bytes: 1_000_000, age: 60_000 });
  }

  override get obstacle(): Obstacle | undefined {
    return this.trouble;
  }
}

async function healthOf(team: TeamApp, path: string): Promise<{ status: number | undefined; details: unknown }> {
  const { status, text } = await team.ask(path);
  const { details } = JSON.parse(text) as { readonly details?: unknown };
  return { status, details };
}

function drainOf({ app }: TeamApp, name?: string): Drain {
  return app.get<HubParts>(partsToken(name), { strict: false }).drain;
}

const up = { status: 'up' };
const down = (message: string) => ({ status: 'down', message });

const READY = { status: 200, details: { process: up, journal: up } };

describe.each(ADAPTERS)('health beside a hub on %s', (adapter) => {
  it('is told to anybody, and kept by no cache', async () => {
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB, AROUND] });
    expect(await healthOf(team, '/health/live')).toEqual({ status: 200, details: {} });
    expect(await healthOf(team, '/health/ready')).toEqual(READY);
    const { headers } = await team.ask('/health/ready');
    expect(headers['cache-control']).toContain('no-store');
    expect(await team.ask('/healthz')).toMatchObject({ status: 404 });
  });

  it.each(['away', 'full', 'refusing'] as const)('is not ready while the journal is %s, and alive', async (trouble) => {
    const journal = new RefusingJournal();
    @Module({ providers: [{ provide: 'our journal', useValue: journal }], exports: ['our journal'] })
    class StorageModule {}
    const hub = HeraldModule.forRoot({ hubUrl: RESOURCE, imports: [StorageModule], journal: 'our journal' });
    const health = HeraldHealthModule.forRoot({ imports: [hub] });
    await using team = await TeamApp.start(adapter, { imports: [hub, health] });
    journal.trouble = trouble;
    expect(await healthOf(team, '/health/ready')).toEqual({
      status: 503,
      details: { process: up, journal: down(trouble) },
    });
    expect(await healthOf(team, '/health/live')).toMatchObject({ status: 200 });
    journal.trouble = undefined;
    expect(await healthOf(team, '/health/ready')).toEqual(READY);
    // A check that fails is an answer, and nothing to log.
    expect(team.log.errors).toEqual([]);
  });

  it('is at another path where that is said, below a global prefix and without a version', async () => {
    const health = HeraldHealthModule.forRoot({ imports: [THE_HUB], path: 'ops/hub' });
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB, health] }, (app) => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    });
    expect(await healthOf(team, '/api/ops/hub/live')).toMatchObject({ status: 200 });
    expect(await healthOf(team, '/api/ops/hub/ready')).toEqual(READY);
    for (const path of ['/health/ready', '/api/health/ready', '/ops/hub/ready']) {
      expect([path, (await team.ask(path)).status]).toEqual([path, 404]);
    }
  });

  it('wears what the application’s global guards look for', async () => {
    const guard = {
      provide: APP_GUARD,
      inject: [Reflector],
      useFactory: (reflector: Reflector) => ({
        canActivate: (context: ExecutionContext) => reflector.get('public', context.getClass()) === true,
      }),
    };
    const health = HeraldHealthModule.forRoot({ imports: [THE_HUB], decorators: [SetMetadata('public', true)] });
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB, health], providers: [guard] });
    expect(await healthOf(team, '/health/ready')).toEqual(READY);
    await using other = await TeamApp.start(adapter, { imports: [THE_HUB, AROUND], providers: [guard] });
    expect(await other.ask('/health/ready')).toMatchObject({ status: 403 });
  });

  it.each(['imported', 'global'] as const)('is each hub’s own at a path each, where hubs are %s', async (kind) => {
    const isGlobal = kind === 'global';
    const one = HeraldModule.forRoot({ hubUrl: RESOURCE, isGlobal });
    const orders = HeraldModule.forRoot({
      hubUrl: `https://x.example${ORDERS}`,
      name: 'orders',
      path: ORDERS,
      isGlobal,
    });
    const health = [
      HeraldHealthModule.forRoot(isGlobal ? {} : { imports: [one] }),
      HeraldHealthModule.forRoot({ ...(!isGlobal && { imports: [orders] }), name: 'orders', path: 'orders/health' }),
    ];
    await using team = await TeamApp.start(adapter, { imports: [one, orders, ...health] });
    const [before, after] = [drainOf(team), drainOf(team, 'orders')];
    expect(before).not.toBe(after);
    await drainOf(team, 'orders').begin();
    expect(await healthOf(team, '/orders/health/ready')).toEqual({
      status: 503,
      details: { process: down('draining'), journal: up },
    });
    expect(await healthOf(team, '/orders/health/live')).toMatchObject({ status: 200 });
    expect(await healthOf(team, '/health/ready')).toEqual(READY);
    drainOf(team, 'orders').resume();
    await drainOf(team).begin();
    expect(await healthOf(team, '/orders/health/ready')).toEqual(READY);
    expect(await healthOf(team, '/health/ready')).toMatchObject({ status: 503 });
  });

  it('is a check of each hub among those of the application’s own', async () => {
    @Controller('checks')
    class ChecksController {
      constructor(
        @Inject(HealthCheckService) private readonly checks: HealthCheckService,
        @InjectHeraldHealth() private readonly hub: HeraldHealthIndicator,
        @InjectHeraldHealth('orders') private readonly orders: HeraldHealthIndicator,
      ) {}

      @Get()
      @HealthCheck()
      all(): ReturnType<HealthCheckService['check']> {
        return this.checks.check([
          () => this.hub.isHealthy('hub'),
          () => this.orders.isHealthy('orders'),
          () => this.orders.canPublish('journal'),
        ]);
      }
    }
    await using team = await TeamApp.start(adapter, {
      imports: [TerminusModule.forRoot({ logger: false }), THE_HUB, NAMED],
      controllers: [ChecksController],
      providers: [heraldHealth(), heraldHealth('orders')],
    });
    expect(team.app.get(HeraldHealthIndicator)).toBeInstanceOf(HeraldHealthIndicator);
    const all = { hub: up, orders: up, journal: up };
    expect(await healthOf(team, '/checks')).toEqual({ status: 200, details: all });
    await drainOf(team, 'orders').begin();
    expect(await healthOf(team, '/checks')).toEqual({ status: 503, details: { ...all, orders: down('draining') } });
    drainOf(team, 'orders').resume();
    await drainOf(team).begin();
    expect(await healthOf(team, '/checks')).toEqual({ status: 503, details: { ...all, hub: down('draining') } });
    drainOf(team).resume();
    expect(await healthOf(team, '/checks')).toEqual({ status: 200, details: all });
  });
});
