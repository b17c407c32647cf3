import { describe, expect, it } from '@jest/globals';
import {
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Inject,
  Injectable,
  Module,
  type NestInterceptor,
  SetMetadata,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import { Counter, register } from 'prom-client';
import { map, type Observable } from 'rxjs';
import {
  HeraldModule,
  type HubRequest,
  HubService,
  InjectHub,
  Journal,
  JournalFullError,
  parseKey,
} from '../../src/herald/index.js';
import { HeraldMetricsModule, HubMetrics } from '../../src/herald/metrics/index.js';
import { MemoryJournal } from '../../src/storage/journal/memory/memory-journal.js';
import { ADMIN_KEY, adminToken, ISSUER, RESOURCE, subscriberToken } from '../support/hub.js';
import { Scrape } from '../support/metrics.js';
import { ADAPTERS, NamedUsers, TeamApp } from '../support/team-app.js';

/* The metrics of a hub as a module of their own, which a team puts around a hub of its application. */

/** Another hub of the same application, at a path that no standard fixes. */
const ORDERS = '/orders/hub';

const TOPIC = 'https://hub.example/a';

const THE_HUB = HeraldModule.forRoot({
  hubUrl: RESOURCE,
  hub: { recentBytes: 12_345_678 },
  auth: { anonymous: true, issuers: [{ issuer: ISSUER, keys: { admin: parseKey(ADMIN_KEY) } }] },
});

const NAMED = HeraldModule.forRoot({
  hubUrl: `https://hub.example${ORDERS}`,
  name: 'orders',
  path: ORDERS,
  grantsResolver: NamedUsers,
});

/** Lets anybody in. */
@Injectable()
class Open implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

const AROUND = HeraldMetricsModule.forRoot({ imports: [THE_HUB], guards: [Open] });

const PLAIN_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const STORED = 'herald_publications_total{outcome="stored"}';

async function scrape(team: TeamApp, path = '/metrics', headers: Record<string, string> = {}): Promise<Scrape> {
  const { status, text } = await team.ask(path, { headers });
  expect([status, text]).toEqual([200, expect.stringMatching(/^# HELP herald_build_info /)]);
  return new Scrape(text);
}

async function publish(hub: HubService, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await hub.publish({ topic: TOPIC, data: 'x' });
}

describe.each(ADAPTERS)('metrics beside a hub on %s', (adapter) => {
  it('follow what is published and read', async () => {
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB, AROUND] });
    const before = await scrape(team);
    expect([before.value(STORED), before.value('herald_streams_open')]).toEqual([0, 0]);
    {
      await using stream = await team.read();
      await stream.until(({ retries }) => retries.length > 0);
      await publish(team.app.get(HubService), 3);
      await stream.take(3);
      const seen = await scrape(team);
      expect(seen.value(STORED)).toBe(3);
      expect(seen.value('herald_deliveries_total')).toBe(3);
      expect(seen.value('herald_streams_open')).toBe(1);
      expect(seen.value('herald_journal_head')).toBe(3);
    }
    let after = await scrape(team);
    while (after.value('herald_streams_open') > 0) after = await scrape(team);
    expect(after.value('herald_streams_ended_total{reason="disconnected"}')).toBe(1);
    expect(after.value('herald_recent_log_limit_bytes')).toBe(12_345_678);
    expect(after.text).toMatch(/^herald_build_info\{.*journal="memory".*\} 1$/m);
    expect(after.value('process_start_time_seconds')).toBeGreaterThan(0);
  });

  it('are Prometheus’s text, or OpenMetrics for a scraper that takes it', async () => {
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB, AROUND] });
    await publish(team.app.get(HubService), 2);
    const plain = await team.ask('/metrics', { headers: { accept: 'text/plain' } });
    expect([plain.headers['content-type'], plain.text]).toEqual([
      PLAIN_TYPE,
      expect.stringMatching(/^# TYPE herald_publications_total counter$/m),
    ]);
    const accept = 'application/openmetrics-text; version=1.0.0,text/plain;q=0.5';
    const open = await team.ask('/metrics', { headers: { accept } });
    expect([open.headers['content-type'], open.text]).toEqual([
      OPEN_TYPE,
      expect.stringMatching(/^# TYPE herald_publications counter$[\s\S]*^# EOF\n$/m),
    ]);
    expect([plain, open].map(({ text }) => new Scrape(text).value(STORED))).toEqual([2, 2]);
  });

  it('are for administrators, where nothing else is said', async () => {
    const metrics = HeraldMetricsModule.forRoot({ imports: [THE_HUB] });
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB, metrics] });
    const ask = async (token: string): Promise<number | undefined> =>
      (await team.ask('/metrics', { headers: { authorization: `Bearer ${token}` } })).status;
    const refusal = await team.ask('/metrics');
    expect(refusal).toMatchObject({ status: 401, text: expect.stringContaining('unauthorized') });
    expect(refusal.headers['www-authenticate']).toMatch(/^Bearer/);
    expect(await ask(await subscriberToken({ key: ADMIN_KEY }))).toBe(403);
    await scrape(team, '/metrics', { authorization: `Bearer ${await adminToken()}` });
  });

  it('are not there for administrators of a hub that has no key for them', async () => {
    const metrics = HeraldMetricsModule.forRoot({ imports: [NAMED], name: 'orders' });
    await using team = await TeamApp.start(adapter, { imports: [NAMED, metrics] });
    expect(await team.ask('/metrics', { headers: { 'x-user': 'ann' } })).toMatchObject({ status: 404 });
  });

  it('are behind a guard of the application’s own, with what that needs', async () => {
    @Injectable()
    class Operators {
      readonly names = ['ann'];
    }
    @Module({ providers: [Operators], exports: [Operators] })
    class OperatorsModule {}
    @Injectable()
    class OwnGuard implements CanActivate {
      constructor(@Inject(Operators) private readonly operators: Operators) {}

      canActivate(context: ExecutionContext): boolean {
        const { headers } = context.switchToHttp().getRequest<HubRequest>();
        if (this.operators.names.includes(String(headers['x-user']))) return true;
        throw new ForbiddenException();
      }
    }
    const metrics = HeraldMetricsModule.forRoot({ imports: [THE_HUB, OperatorsModule], guards: [OwnGuard] });
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB, metrics] });
    expect(await team.ask('/metrics', { headers: { 'x-user': 'bob' } })).toMatchObject({ status: 403 });
    await scrape(team, '/metrics', { 'x-user': 'ann' });
  });

  it('are below a global prefix, without a version, and as they are where answers are wrapped', async () => {
    @Injectable()
    class Wrapping implements NestInterceptor {
      intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle().pipe(map((data: unknown) => ({ data })));
      }
    }
    const module = { imports: [THE_HUB, AROUND], providers: [{ provide: APP_INTERCEPTOR, useClass: Wrapping }] };
    await using team = await TeamApp.start(adapter, module, (app) => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    });
    await scrape(team, '/api/metrics');
    expect(await team.ask('/metrics')).toMatchObject({ status: 404 });
  });

  it('wear what the application’s global guards look for', async () => {
    const guard = {
      provide: APP_GUARD,
      inject: [Reflector],
      useFactory: (reflector: Reflector) => ({
        canActivate: (context: ExecutionContext) => reflector.get('public', context.getClass()) === true,
      }),
    };
    const metrics = HeraldMetricsModule.forRoot({
      imports: [THE_HUB],
      guards: [Open],
      decorators: [SetMetadata('public', true)],
    });
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB, metrics], providers: [guard] });
    await scrape(team);
    await using other = await TeamApp.start(adapter, { imports: [THE_HUB, AROUND], providers: [guard] });
    expect(await other.ask('/metrics')).toMatchObject({ status: 403 });
  });

  it.each(['imported', 'global'] as const)('are each hub’s own at a path each, where hubs are %s', async (kind) => {
    const isGlobal = kind === 'global';
    const one = HeraldModule.forRoot({ hubUrl: RESOURCE, auth: { anonymous: true }, isGlobal });
    const orders = HeraldModule.forRoot({
      hubUrl: `https://x.example${ORDERS}`,
      name: 'orders',
      path: ORDERS,
      isGlobal,
    });
    const metrics = [
      HeraldMetricsModule.forRoot({ ...(!isGlobal && { imports: [one] }), guards: [Open] }),
      HeraldMetricsModule.forRoot({
        ...(!isGlobal && { imports: [orders] }),
        name: 'orders',
        path: 'orders/metrics',
        guards: [Open],
        process: false,
      }),
    ];
    @Injectable()
    class Both {
      constructor(
        @InjectHub() readonly first: HubService,
        @InjectHub('orders') readonly second: HubService,
      ) {}
    }
    await using team = await TeamApp.start(adapter, { imports: [one, orders, ...metrics], providers: [Both] });
    await publish(team.app.get(Both).first, 1);
    await publish(team.app.get(Both).second, 5);
    const first = await scrape(team);
    const second = await scrape(team, '/orders/metrics');
    expect([first.value(STORED), second.value(STORED)]).toEqual([1, 5]);
    // What belongs to the process is told once.
    const ofProcess = /^(?:process_|nodejs_|herald_refusals_total|herald_heap_limit_bytes)/;
    expect(first.series.filter((name) => ofProcess.test(name)).length).toBeGreaterThan(10);
    expect(second.series.filter((name) => ofProcess.test(name))).toEqual([]);
    const others = first.series.filter((name) => !ofProcess.test(name));
    expect(second.series).toEqual(others);
  });

  it('leave the application’s own registry of prom-client alone, and can be part of its own endpoint', async () => {
    const own = new Counter({ name: 'books_total', help: 'Books.' });
    try {
      own.inc(7);
      @Controller('own-metrics')
      class OwnMetricsController {
        constructor(@Inject(HubMetrics) private readonly herald: HubMetrics) {}

        @Get()
        async all(): Promise<string> {
          return `${await register.metrics()}${await this.herald.text()}`;
        }
      }
      await using team = await TeamApp.start(adapter, {
        imports: [THE_HUB, AROUND],
        controllers: [OwnMetricsController],
      });
      await publish(team.app.get(HubService), 2);
      await scrape(team);
      expect(register.getMetricsAsArray().map(({ name }) => name)).toEqual(['books_total']);
      const all = new Scrape((await team.ask('/own-metrics')).text);
      expect([all.value('books_total'), all.value(STORED)]).toEqual([7, 2]);
    } finally {
      register.clear();
    }
  });

  it.each([
    ['has no name', 'custom', (Reflect.construct(Journal, []) as Journal).kind],
    ['has one', 'postgres', 'postgres'],
  ])('tell the kind and the failures of an engine of the application’s own that %s', async (_, kind, own) => {
    class OwnJournal extends MemoryJournal {
      override readonly kind = own;

      override append(): never {
        throw new JournalFullError('There is no room.');
      }
    }
    const journal = new OwnJournal({ events: 10, bytes: 1_000_000, age: 60_000 });
    @Module({ providers: [{ provide: 'our journal', useValue: journal }], exports: ['our journal'] })
    class StorageModule {}
    const hub = HeraldModule.forRoot({ hubUrl: RESOURCE, imports: [StorageModule], journal: 'our journal' });
    const metrics = HeraldMetricsModule.forRoot({ imports: [hub], guards: [Open] });
    await using team = await TeamApp.start(adapter, { imports: [hub, metrics] });
    await expect(publish(team.app.get(HubService), 1)).rejects.toThrow('There is no room.');
    const seen = await scrape(team);
    expect(seen.text).toContain(`journal="${kind}"`);
    expect(seen.value('herald_journal_errors_total{operation="append"}')).toBe(1);
    expect(seen.value(STORED)).toBe(0);
  });
});
