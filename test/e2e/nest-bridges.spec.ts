import { Controller, Get, type INestApplication, Logger, Module } from '@nestjs/common';
import { CqrsModule, EventBus } from '@nestjs/cqrs';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { describe, expect, it, jest } from '@jest/globals';
import { bridgeEventBus } from '../../src/herald/cqrs/index.js';
import { bridgeEvents } from '../../src/herald/event-emitter/index.js';
import { HeraldModule, HubService } from '../../src/herald/index.js';
import { HeraldHealthIndicator } from '../../src/herald/terminus/index.js';
import { HeraldTestingModule, TestHub, testHubToken } from '../../src/herald/testing/index.js';
import { CapturedLog } from '../support/captured-log.js';
import { send, textOf } from '../support/event-stream.js';
import { HUB } from '../support/hub.js';
import { listening } from '../support/nest.js';

describe('events of @nestjs/event-emitter', () => {
  interface Shipped {
    readonly id: number;
  }

  const toTopic = { event: 'order.*', topics: '/orders/:id', type: (_: unknown, name: string) => name };

  async function start(
    mappings: Parameters<typeof bridgeEvents>[0],
    options: Parameters<(typeof EventEmitterModule)['forRoot']>[0] = { wildcard: true },
  ): Promise<{ app: INestApplication; emitter: EventEmitter2; hub: TestHub }> {
    @Module({
      imports: [EventEmitterModule.forRoot(options), HeraldTestingModule.forRoot()],
      providers: [bridgeEvents(mappings)],
    })
    class EventsModule {}
    const app = await listening(EventsModule);
    return { app, emitter: app.get(EventEmitter2), hub: app.get(TestHub) };
  }

  it('are published in their order, and are stored once emitAsync resolves', async () => {
    const { app, emitter, hub } = await start([toTopic]);
    emitter.emit('order.created', { id: 1 });
    emitter.emit('order.paid', { id: 1 });
    emitter.emit('invoice.paid', { id: 2 });
    await emitter.emitAsync('order.shipped', { id: 1 });
    expect(hub.published().map(({ topics: [topic], type, data }) => [topic, type, data])).toEqual(
      ['order.created', 'order.paid', 'order.shipped'].map((type) => ['/orders/1', type, { id: 1 }]),
    );
    await app.close();
  });

  it('are known by names that are lists or symbols too, and without wildcards', async () => {
    const closed = Symbol('closed');
    const { app, emitter, hub } = await start(
      [
        { ...toTopic, event: closed },
        { ...toTopic, event: 'order' },
      ],
      {},
    );
    await emitter.emitAsync(closed, { id: 1 });
    await emitter.emitAsync('order', { id: 2 });
    expect(hub.published().map(({ type }) => type)).toEqual(['closed', 'order']);
    await app.close();
    const listed = await start([{ ...toTopic, event: ['order', '*'] }]);
    await listed.emitter.emitAsync(['order', 'paid'], { id: 3 });
    expect(listed.hub.published().map(({ type }) => type)).toEqual(['order.paid']);
    await listed.app.close();
  });

  it('may have mappings of their own types', async () => {
    const { app, emitter, hub } = await start([
      {
        event: 'order.*',
        topics: ({ id }: Shipped) => [`/orders/${id}`, '/orders'],
        when: ({ id }: Shipped) => id > 1,
      },
      { event: 'user.*', topics: '/users/:name', map: ({ name }: { name: string }) => name, private: true },
    ]);
    for (const id of [1, 2]) await emitter.emitAsync('order.shipped', { id });
    await emitter.emitAsync('user.added', { name: 'ann', password: 'x' });
    expect(hub.published()).toMatchObject([
      { topics: ['/orders/2', '/orders'], data: { id: 2 } },
      { topics: ['/users/ann'], data: 'ann', private: true },
    ]);
    await app.close();
  });

  it('that cannot be published are logged, and harm neither the emitter nor the next', async () => {
    const { app, emitter, hub } = await start([toTopic]);
    const log = new CapturedLog();
    Logger.overrideLogger(log);
    await emitter.emitAsync('order.shipped', {});
    await emitter.emitAsync('order.shipped', { id: 2 });
    expect(log.errors).toMatchObject([{ msg: 'an event was not published', event: 'order.shipped' }]);
    expect(hub.published()).toHaveLength(1);
    await app.close();
  });

  it('go to the hub that is named', async () => {
    @Module({
      imports: [
        EventEmitterModule.forRoot(),
        CqrsModule,
        HeraldTestingModule.forRoot({ name: 'audit' }),
        HeraldTestingModule.forRoot(),
      ],
      providers: [
        bridgeEvents([{ event: 'order', topics: '/audit/:id' }], { hub: 'audit' }),
        bridgeEvents([{ event: 'order', topics: '/orders/:id' }]),
        bridgeEventBus([{ event: Date, topics: '/audit/dates' }], { hub: 'audit' }),
      ],
    })
    class AuditedModule {}
    const app = await listening(AuditedModule);
    await app.get(EventEmitter2).emitAsync('order', { id: 1 });
    void app.get(EventBus).publish(new Date(0));
    await app.close();
    const topicsOf = (hub: TestHub): unknown => hub.published().map(({ topics: [topic] }) => topic);
    expect(topicsOf(app.get<TestHub>(testHubToken('audit')))).toEqual(['/audit/1', '/audit/dates']);
    expect(topicsOf(app.get(TestHub))).toEqual(['/orders/1']);
  });

  it('with a wildcard need an emitter that knows them', async () => {
    await expect(start([toTopic], {})).rejects.toThrow('set `wildcard: true`');
  });

  it('that are under way are stored before the end', async () => {
    const { app, emitter, hub } = await start([toTopic]);
    const service = app.get(HubService);
    const publish = service.publish.bind(service);
    jest.spyOn(service, 'publish').mockImplementation(async (draft) => {
      await new Promise(setImmediate);
      return publish(draft);
    });
    emitter.emit('order.shipped', { id: 1 });
    await app.close();
    expect(hub.published()).toHaveLength(1);
  });
});

describe('events of @nestjs/cqrs', () => {
  class OrderEvent {
    constructor(
      readonly id: number,
      readonly secret = 's',
    ) {}
  }
  class OrderShipped extends OrderEvent {}
  class UserAdded {
    constructor(readonly name: string) {}
  }

  @Module({
    imports: [CqrsModule, HeraldTestingModule.forRoot()],
    providers: [
      bridgeEventBus([
        { event: OrderEvent, topics: ({ id }) => `/orders/${id}`, map: ({ id }) => ({ id }), type: (_, name) => name },
        { event: UserAdded, topics: '/users/:name', private: true },
      ]),
    ],
  })
  class DomainModule {}

  it('are published in their order, also those of classes that extend the one named', async () => {
    const app = await listening(DomainModule);
    const bus = app.get(EventBus);
    class Unknown {
      readonly id = 3;
    }
    void bus.publishAll([new OrderEvent(1), new OrderShipped(1), new Unknown(), new UserAdded('ann')]);
    await app.close();
    expect(app.get(TestHub).published()).toMatchObject([
      { topics: ['/orders/1'], data: { id: 1 }, type: 'OrderEvent', private: false },
      { topics: ['/orders/1'], data: { id: 1 }, type: 'OrderShipped', private: false },
      { topics: ['/users/ann'], data: { name: 'ann' }, private: true },
    ]);
  });

  it('that cannot be published are logged, and do not stop the bus', async () => {
    const app = await listening(DomainModule);
    const log = new CapturedLog();
    Logger.overrideLogger(log);
    const bus = app.get(EventBus);
    void bus.publish(new UserAdded(''));
    void bus.publish(new UserAdded('bob'));
    await app.close();
    expect(log.errors).toMatchObject([{ msg: 'an event was not published', event: 'UserAdded' }]);
    expect(app.get(TestHub).published()).toHaveLength(1);
  });
});

it('a health check of an application asks its hub', async () => {
  @Controller()
  class HealthController {
    constructor(
      private readonly health: HealthCheckService,
      private readonly herald: HeraldHealthIndicator,
    ) {}

    @Get('health')
    @HealthCheck()
    check(): ReturnType<HealthCheckService['check']> {
      return this.health.check([() => this.herald.isHealthy('hub')]);
    }
  }
  @Module({
    imports: [TerminusModule, HeraldModule.forRoot({ hubUrl: new URL(`https://hub.example${HUB}`) })],
    controllers: [HealthController],
    providers: [HeraldHealthIndicator],
  })
  class HealthModule {}
  const app = await listening(HealthModule);
  const answer = await send(`${await app.getUrl()}/health`);
  expect(JSON.parse(await textOf(answer))).toMatchObject({ status: 'ok', details: { hub: { status: 'up' } } });
  await app.close();
});
