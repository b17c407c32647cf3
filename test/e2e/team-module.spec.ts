import { describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  type ExecutionContext,
  Inject,
  Injectable,
  type MessageEvent,
  Module,
  Post,
  SetMetadata,
  Sse,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { concat, NEVER, of, type Observable } from 'rxjs';
import { MemoryJournal } from '../../src/storage/journal/memory/memory-journal.js';
import {
  HeraldModule,
  type HeraldOptions,
  HubService,
  InjectHub,
  Journal,
  ManagedSse,
} from '../../src/herald/index.js';
import { HUB } from '../support/hub.js';
import { ADAPTERS, NamedUsers, TeamApp } from '../support/team-app.js';

/*
 * Applications as teams would write them, with routes of their own beside the hub's. What Herald does there is theirs to
 * decide: nothing of it may reach what is not the hub's.
 */

const AT = 'https://team.example';

/** Another hub of the same application, at a path that no standard fixes. */
const ORDERS = '/orders/hub';

const THE_HUB = HeraldModule.forRoot({ hubUrl: AT + HUB, grantsResolver: NamedUsers });

@Controller('own')
class OwnController {
  @Post('echo')
  echo(@Body() body: unknown): unknown {
    return { body };
  }
}

@Controller('streams')
class StreamController {
  @Sse('plain')
  plain(): Observable<MessageEvent> {
    return concat(of({ data: 'one' }), NEVER);
  }

  @Sse('managed')
  @ManagedSse()
  managed(): Observable<MessageEvent> {
    return concat(of({ data: 'one' }), NEVER);
  }
}

@Controller('whole')
class WholeController {
  @Sse('stream')
  stream(): Observable<MessageEvent> {
    return concat(of({ data: 'one' }), NEVER);
  }
}

@ManagedSse()
@Module({ controllers: [WholeController] })
class ManagedModule {}

describe.each(ADAPTERS)('a hub in an application on %s', (adapter) => {
  it('is injected by those modules alone that import it', async () => {
    @Injectable()
    class Elsewhere {
      constructor(@Inject(HubService) readonly hub: HubService) {}
    }
    @Module({ providers: [Elsewhere] })
    class OtherModule {}
    await expect(TeamApp.start(adapter, { imports: [THE_HUB, OtherModule] })).rejects.toThrow(/HubService/);
    const isGlobal = HeraldModule.forRoot({ hubUrl: AT + HUB, isGlobal: true });
    await using team = await TeamApp.start(adapter, { imports: [isGlobal, OtherModule] });
    expect(team.app.get(Elsewhere, { strict: false }).hub).toBeInstanceOf(HubService);
  });

  it('is one of several, which have names, paths and updates of their own', async () => {
    @Injectable()
    class Both {
      constructor(
        @InjectHub() readonly one: HubService,
        @InjectHub('orders') readonly orders: HubService,
      ) {}
    }
    const orders = HeraldModule.forRoot({
      hubUrl: AT + ORDERS,
      name: 'orders',
      path: ORDERS,
      grantsResolver: NamedUsers,
    });
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB, orders], providers: [Both] });
    await using first = await team.read();
    await using second = await team.read('match=*', { hub: ORDERS });
    const both = team.app.get(Both);
    await both.one.publish({ topics: [`${AT}/a`], data: 'in process' });
    await both.orders.publish({ topics: [`${AT}/a`], data: 'an order' });
    await team.publish({ topic: `${AT}/a`, data: 'over HTTP' });
    await team.publish({ topic: `${AT}/a`, data: 'an order over HTTP' }, { hub: ORDERS });
    expect((await first.take(2)).map(({ data }) => data)).toEqual(['in process', 'over HTTP']);
    expect((await second.take(2)).map(({ data }) => data)).toEqual(['an order', 'an order over HTTP']);
    const refusal = await team.ask(ORDERS, { method: 'POST' });
    expect(refusal.status).toBe(401);
    const metadata = /resource_metadata="https:\/\/team\.example([^"]*)"/.exec(
      String(refusal.headers['www-authenticate']),
    );
    expect(JSON.parse((await team.ask(metadata?.[1] ?? '/none')).text)).toMatchObject({ resource: AT + ORDERS });
  });

  it('stays where the protocol has it under a global prefix, and elsewhere is under it', async () => {
    const orders = HeraldModule.forRoot({
      hubUrl: `${AT}/api${ORDERS}`,
      name: 'orders',
      path: ORDERS,
      grantsResolver: NamedUsers,
    });
    const module = { imports: [THE_HUB, orders], controllers: [OwnController] };
    await using team = await TeamApp.start(adapter, module, (app) => app.setGlobalPrefix('api'));
    expect(await team.publish({ topic: `${AT}/a`, data: '' })).toMatchObject({ status: 200 });
    expect(await team.publish({ topic: `${AT}/a`, data: '' }, { hub: `/api${HUB}` })).toMatchObject({ status: 404 });
    expect(await team.publish({ topic: `${AT}/a`, data: '' }, { hub: `/api${ORDERS}` })).toMatchObject({ status: 200 });
    expect(await team.ask('/api/own/echo', { method: 'POST' })).toMatchObject({ status: 201 });
    for (const hub of [HUB, `/api${ORDERS}`]) {
      const { headers } = await team.ask(hub, { method: 'POST' });
      const told = /resource_metadata="https:\/\/team\.example([^"]*)"/.exec(String(headers['www-authenticate']));
      expect(await team.ask(told?.[1] ?? '/none')).toMatchObject({ status: 200 });
    }
  });

  it('has no version, whichever the application’s routes have', async () => {
    const module = { imports: [THE_HUB], controllers: [OwnController] };
    await using team = await TeamApp.start(adapter, module, (app) =>
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    );
    expect(await team.publish({ topic: `${AT}/a`, data: '' })).toMatchObject({ status: 200 });
    expect(await team.ask('/v1/own/echo', { method: 'POST' })).toMatchObject({ status: 201 });
  });

  it('manages the streams of @Sse() handlers that ask for it, and no others', async () => {
    const module = { imports: [THE_HUB, ManagedModule], controllers: [StreamController] };
    await using team = await TeamApp.start(adapter, module);
    for (const [path, isManaged] of [
      ['/streams/plain', false],
      ['/streams/managed', true],
      ['/whole/stream', true],
    ] as const) {
      await using stream = await team.open(path);
      await stream.take(1);
      expect([path, stream.retries.length]).toEqual([path, isManaged ? 1 : 0]);
    }
  });

  it('lets a stream of the application’s own resume from its log', async () => {
    @Controller('own-updates')
    class UpdatesController {
      constructor(@Inject(HubService) private readonly hub: HubService) {}

      @Sse()
      @ManagedSse()
      updates(): Observable<MessageEvent> {
        return this.hub.updates(`${AT}/a`);
      }
    }
    await using team = await TeamApp.start(adapter, { imports: [THE_HUB], controllers: [UpdatesController] });
    let last: string;
    {
      await using stream = await team.open('/own-updates');
      // The stream begins where the log is when it is asked for.
      await stream.until(({ retries }) => retries.length === 1);
      await team.publish({ topic: `${AT}/a`, data: 'seen' });
      const [event] = await stream.take(1);
      expect(event).toMatchObject({ data: 'seen' });
      last = event?.id ?? '';
    }
    await team.publish({ topic: `${AT}/a`, data: 'missed' });
    await team.publish({ topic: `${AT}/b`, data: 'another topic' });
    await team.publish({ topic: `${AT}/a`, data: 'missed as well' });
    await using again = await team.open('/own-updates', { 'last-event-id': last });
    const events = await again.until(({ text }) => text.includes('caught-up'));
    expect(events.events.filter(({ event }) => event === undefined).map(({ data }) => data)).toEqual([
      'missed',
      'missed as well',
    ]);
  });

  it('gets its options late, from a factory or a class, and the same defaults', async () => {
    @Injectable()
    class Settings {
      readonly url = AT + HUB;
    }
    @Module({ providers: [Settings], exports: [Settings] })
    class SettingsModule {}
    @Injectable()
    class Factory {
      createHeraldOptions(): HeraldOptions {
        return { hubUrl: AT + HUB };
      }
    }
    const late = HeraldModule.forRootAsync({
      imports: [SettingsModule],
      inject: [Settings],
      useFactory: (settings: Settings) => Promise.resolve({ hubUrl: settings.url }),
      grantsResolver: NamedUsers,
    });
    const byClass = HeraldModule.forRootAsync({ useClass: Factory, grantsResolver: NamedUsers });
    for (const hub of [late, byClass]) {
      await using team = await TeamApp.start(adapter, { imports: [hub] });
      await using stream = await team.read();
      await team.publish({ topic: `${AT}/a`, data: 'x' });
      expect(await stream.take(1)).toMatchObject([{ data: 'x' }]);
    }
  });

  it('keeps its updates in a journal of the application’s own', async () => {
    const journal = new MemoryJournal({ events: 10, bytes: 1_000_000, age: 60_000 });
    @Module({ providers: [{ provide: 'our journal', useValue: journal }], exports: ['our journal'] })
    class StorageModule {}
    const hub = HeraldModule.forRoot({ hubUrl: AT + HUB, imports: [StorageModule], journal: 'our journal' });
    await using team = await TeamApp.start(adapter, { imports: [hub] });
    await team.app.get(HubService).publish({ topics: [`${AT}/a`], data: 'x' });
    expect(journal.head).toBe(1);
    expect(team.app.get(Journal, { strict: false })).toBe(journal);
  });

  it.each(['not a URL', 'ftp://team.example/.well-known/mercure', `${AT}/elsewhere`])(
    'says at the start that %s can not be its URL',
    async (hubUrl) => {
      const started = TeamApp.start(adapter, { imports: [HeraldModule.forRoot({ hubUrl })] });
      await expect(started).rejects.toThrow('hubUrl must be the hub');
    },
  );

  it('wears what the application’s global guards look for', async () => {
    const guard = {
      provide: APP_GUARD,
      inject: [Reflector],
      useFactory: (reflector: Reflector) => ({
        canActivate: (context: ExecutionContext) => reflector.get('public', context.getClass()) === true,
      }),
    };
    const hub = HeraldModule.forRoot({
      hubUrl: AT + HUB,
      grantsResolver: NamedUsers,
      decorators: [SetMetadata('public', true)],
    });
    await using team = await TeamApp.start(adapter, {
      imports: [hub],
      controllers: [OwnController],
      providers: [guard],
    });
    expect(await team.publish({ topic: `${AT}/a`, data: '' })).toMatchObject({ status: 200 });
    expect(await team.ask('/own/echo', { method: 'POST' })).toMatchObject({ status: 403 });
  });
});
