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
  UseInterceptors,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { interval, map, type Observable, of } from 'rxjs';
import { HeraldModule, HubService, NotPublishedError, PublishTo } from '../../src/herald/index.js';
import { HeraldTestingModule, TestHub, testHubToken } from '../../src/herald/testing/index.js';
import { CapturedLog } from '../support/captured-log.js';
import { openStream, send, textOf } from '../support/event-stream.js';
import { HUB } from '../support/hub.js';
import { listening } from '../support/nest.js';

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

  it('publishes to the hub that it names, and to no other', async () => {
    @Controller()
    class Audited {
      @Post()
      @PublishTo('/audit', { hub: 'audit' })
      @PublishTo('/all')
      write(): string {
        return 'written';
      }
    }
    @Module({
      imports: [HeraldTestingModule.forRoot({ name: 'audit' }), HeraldTestingModule.forRoot()],
      controllers: [Audited],
    })
    class AuditedModule {}
    const app = await listening(AuditedModule);
    await textOf(await send(await app.getUrl(), { method: 'POST' }));
    expect(app.get<TestHub>(testHubToken('audit')).published()).toMatchObject([{ topics: ['/audit'] }]);
    expect(app.get(TestHub).published()).toMatchObject([{ topics: ['/all'] }]);
    await app.close();
  });

  it('adds no parameter to what Swagger says of a handler', async () => {
    const app = await listening(OrdersModule);
    const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    const parameters = paths['/orders/{id}']?.delete?.parameters;
    expect(parameters).toEqual([expect.objectContaining({ name: 'id', in: 'path' })]);
    await app.close();
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
