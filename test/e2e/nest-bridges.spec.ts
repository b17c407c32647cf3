import {
  Body,
  type CallHandler,
  Controller,
  Delete,
  type ExecutionContext,
  Get,
  HttpCode,
  type INestApplication,
  Injectable,
  Logger,
  Module,
  type NestInterceptor,
  Param,
  Post,
  Put,
  Sse,
  type Type,
  UseInterceptors,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CqrsModule, EventBus } from '@nestjs/cqrs';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { interval, map, type Observable, of } from 'rxjs';
import { bridgeEventBus } from '../../src/herald/cqrs/index.js';
import { bridgeEvents } from '../../src/herald/event-emitter/index.js';
import { HeraldModule, HubService, NotPublishedError, PublishTo } from '../../src/herald/index.js';
import { HeraldHealthIndicator } from '../../src/herald/terminus/index.js';
import { HeraldTestingModule, TestHub } from '../../src/herald/testing/index.js';
import { CapturedLog } from '../support/captured-log.js';
import { openStream, send, textOf } from '../support/event-stream.js';
import { HUB } from '../support/hub.js';

/** Wraps each answer, as many teams do: here also on the side of the handler that comes first. */
@Injectable()
class Wrap implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

/** Keeps also what is said by an error itself, as Nest logs it. */
class Words extends CapturedLog {
  readonly said: string[] = [];

  override error(message: unknown): void {
    super.error(message);
    this.said.push(message instanceof Error ? message.message : JSON.stringify(message));
  }
}

interface Order {
  readonly id: string;
  readonly secret?: string;
}

class OrdersBase {
  @PublishTo('/archive/:id')
  @Put('archive/:id')
  archive(@Param('id') id: string): Order {
    return { id };
  }
}

@Controller('orders')
class OrdersController extends OrdersBase {
  @Get('ping')
  ping(): string {
    return 'pong';
  }

  @UseInterceptors(Wrap)
  @Post()
  @PublishTo('https://example.com/orders/:id', {
    type: 'created',
    private: true,
    map: ({ id }: Order) => ({ id }),
  })
  async create(@Body() order: Order): Promise<Order> {
    return Promise.resolve({ ...order, secret: 's' });
  }

  @PublishTo('/orders/:id')
  @Delete(':id')
  @HttpCode(204)
  remove(@Param('id') _id: string): void {
    // The topic is the route's parameter.
  }

  @Post(':id/lines')
  @PublishTo(['/orders/:id', '/orders'])
  @PublishTo((_, { id }) => `/lines/${id ?? ''}`, { when: (value: unknown) => value !== 'skip' })
  addLines(@Body() { value }: { value: string }): Observable<string> {
    return of('first', value);
  }

  @Post('nameless')
  @PublishTo('/orders/:id')
  nameless(): object {
    return {};
  }

  @Post('reserved')
  @PublishTo('*')
  reserved(): string {
    return 'done';
  }

  @Post('reserved/logged')
  @PublishTo('*', { onError: 'log' })
  logged(): string {
    return 'done';
  }

  @Sse('stream')
  @PublishTo('/stream')
  stream(): Observable<object> {
    return interval(10).pipe(map((count) => ({ data: count })));
  }
}

@Module({ imports: [HeraldTestingModule.forRoot()], controllers: [OrdersController] })
class OrdersModule {}

function listening(
  module: Type,
  adapter = new FastifyAdapter() as ExpressAdapter | FastifyAdapter,
): Promise<INestApplication> {
  return NestFactory.create(module, adapter, { abortOnError: false, forceCloseConnections: true, logger: false }).then(
    async (app) => {
      await app.listen(0, '127.0.0.1');
      return app;
    },
  );
}

describe.each([
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
])('@PublishTo() on %s', (_, adapterOf) => {
  let app: INestApplication;
  let url: string;
  let hub: TestHub;
  let log: Words;

  beforeEach(async () => {
    app = await listening(OrdersModule, adapterOf());
    url = `${await app.getUrl()}/orders`;
    hub = app.get(TestHub);
    log = new Words();
    Logger.overrideLogger(log);
  });

  afterEach(() => app.close());

  async function ask(method: string, path: string, body?: object): Promise<{ status?: number; text: string }> {
    const headers = body ? { 'content-type': 'application/json' } : {};
    const answer = await send(url + path, { method, headers }, body && JSON.stringify(body));
    return { status: answer.statusCode ?? 0, text: await textOf(answer) };
  }

  it('publishes what the handler returns, and not what an interceptor makes of it', async () => {
    const answer = await ask('POST', '', { id: '7/..?x' });
    expect(answer).toEqual({ status: 201, text: '{"data":{"id":"7/..?x","secret":"s"}}' });
    expect(hub.published()).toMatchObject([
      {
        topics: ['https://example.com/orders/7%2F..%3Fx'],
        data: { id: '7/..?x' },
        type: 'created',
        private: true,
      },
    ]);
  });

  it('takes from the route what the answer does not have', async () => {
    expect(await ask('DELETE', '/a%20b')).toEqual({ status: 204, text: '' });
    expect(hub.published()).toMatchObject([{ topics: ['/orders/a%20b'], data: null, private: false }]);
  });

  it('may stand several times, and publishes what an observable ends with', async () => {
    expect(await ask('POST', '/7/lines', { value: 'last' })).toMatchObject({ status: 201, text: 'last' });
    expect(hub.published()).toMatchObject([
      { topics: ['/lines/7'], data: 'last' },
      { topics: ['/orders/7', '/orders'], data: 'last' },
    ]);
    await ask('POST', '/8/lines', { value: 'skip' });
    expect(hub.published().slice(2)).toMatchObject([{ topics: ['/orders/8', '/orders'] }]);
  });

  it('counts in classes that extend the handler’s', async () => {
    expect((await ask('PUT', '/archive/7')).status).toBe(200);
    expect(hub.published()).toMatchObject([{ topics: ['/archive/7'] }]);
  });

  it('answers once the update is stored', async () => {
    const service = app.get(HubService);
    const publish = service.publish.bind(service);
    const { promise: stored, resolve: store } = gate();
    const { promise: called, resolve: call } = gate();
    jest.spyOn(service, 'publish').mockImplementation(async (draft) => {
      call();
      await stored;
      return publish(draft);
    });
    let isAnswered = false;
    const answer = ask('DELETE', '/7').finally(() => (isAnswered = true));
    await called;
    for (let count = 0; count < 3; count += 1) await ask('GET', '/ping');
    expect([isAnswered, hub.published()]).toEqual([false, []]);
    store();
    expect((await answer).status).toBe(204);
    expect(hub.published()).toHaveLength(1);
  });

  it.each([
    ['/nameless', '":id" has no value'],
    ['/reserved', 'The topic "*" is the wildcard'],
  ])('fails the request at %s, whose update cannot be published, and says why in the log', async (path, reason) => {
    const { status, text } = await ask('POST', path, {});
    expect([status, text.includes(reason)]).toEqual([500, false]);
    expect(hub.published()).toEqual([]);
    expect(log.said).toEqual([expect.stringContaining(`OrdersController.${path.slice(1)} has returned was not`)]);
    expect(log.said[0]).toContain(reason);
  });

  it('refuses a stream', async () => {
    expect((await ask('GET', '/stream')).status).toBe(500);
    expect(log.said).toEqual([expect.stringContaining('OrdersController.stream is a stream')]);
  });
});

function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((resolved) => (resolve = resolved));
  return { promise, resolve };
}

describe('@PublishTo()', () => {
  it('publishes nothing from a controller that was made by hand', async () => {
    expect(await new OrdersController().create({ id: '7' })).toEqual({ id: '7', secret: 's' });
  });

  it('answers as if nothing had been where a failure is only to be logged, once a minute', async () => {
    const app = await listening(OrdersModule);
    const log = new CapturedLog();
    Logger.overrideLogger(log);
    for (let count = 0; count < 2; count += 1) {
      const answer = await send(`${await app.getUrl()}/orders/reserved/logged`, { method: 'POST' });
      expect([answer.statusCode, await textOf(answer)]).toEqual([201, 'done']);
    }
    expect(log.errors).toMatchObject([
      { msg: expect.stringContaining('OrdersController.logged'), err: expect.any(NotPublishedError) },
    ]);
    await app.close();
  });

  it('refuses a stream or a wrong topic when the class is loaded', () => {
    expect(() => {
      class Streams {
        @PublishTo('/stream')
        @Sse('stream')
        stream(): Observable<object> {
          return of({});
        }
      }
      return Streams;
    }).toThrow('Streams.stream is a stream');
    expect(() => PublishTo([])).toThrow('no topic');
  });

  it.each([
    [undefined, 'herald hub'],
    ['audit', 'herald hub audit'],
  ])('does not start where the hub %s is missing', async (hub, missing) => {
    @Controller()
    class Lonely {
      @Get()
      @PublishTo('/all', { hub })
      all(): string {
        return '';
      }
    }
    @Module({ controllers: [Lonely] })
    class LonelyModule {}
    await expect(listening(LonelyModule)).rejects.toThrow(missing);
  });

  it('reaches a reader over HTTP', async () => {
    @Controller('orders')
    class ShippingController {
      @Post(':id/ship')
      @PublishTo('https://example.com/orders/:id', { type: 'shipped' })
      ship(@Param('id') id: string): Order {
        return { id };
      }
    }
    @Module({
      imports: [HeraldModule.forRoot({ hubUrl: new URL(`https://hub.example${HUB}`), auth: { anonymous: true } })],
      controllers: [ShippingController],
    })
    class ShippingModule {}
    const app = await listening(ShippingModule);
    const url = await app.getUrl();
    await using reader = await openStream(`${url}${HUB}?match=https://example.com/orders/7`);
    const answer = await send(`${url}/orders/7/ship`, { method: 'POST' });
    expect(await textOf(answer)).toBe('{"id":"7"}');
    const { events } = await reader.until((seen) => seen.events.some(({ event }) => event === 'shipped'));
    expect(events.filter(({ event }) => event === 'shipped')).toMatchObject([{ data: '{"id":"7"}' }]);
    await app.close();
  });
});

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

  it('with a wildcard need an emitter that knows them', async () => {
    await expect(start([toTopic], {})).rejects.toThrow('set `wildcard: true`');
  });

  it('that are under way are stored before the end, and none is listened to after it', async () => {
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
    expect(emitter.listenerCount('order.shipped')).toBe(0);
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
    class Unknown {}
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
