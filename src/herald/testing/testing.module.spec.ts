import { Inject, Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ANONYMOUS, type Grants, UNLIMITED } from '../../access/grants.js';
import { HistoryService } from '../../hub/service/history.service.js';
import { HubService } from '../../hub/service/hub.service.js';
import { hubToken, InjectHub } from '../inject-hub.js';
import { HeraldTestingModule, TestHub, testHubToken, type TestUpdate } from './index.js';

const PATTERN = { type: 'urlpattern', pattern: 'https://example.com/orders/:id' } as const;

@Injectable()
class Orders {
  constructor(@Inject(HubService) private readonly hub: HubService) {}

  ship(id: number, isPrivate = false): Promise<string> {
    const topics = [`https://example.com/orders/${id}`];
    return this.hub.publish({ topics, data: JSON.stringify({ id }), type: 'shipped', private: isPrivate });
  }
}

/** What a user may read: their own order. */
function grantsOf(subject: string): Grants {
  const canRead = (topics: readonly string[]): boolean => topics.includes(`https://example.com/orders/${subject}`);
  return { subject, readKey: `user ${subject}`, canRead, canPublish: () => false };
}

async function restOf(updates: AsyncIterable<unknown>): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const update of updates) seen.push(update);
  return seen;
}

function dataOf(updates: readonly TestUpdate[]): unknown[] {
  return updates.map(({ data }) => data);
}

describe('the hub of a unit test', () => {
  let module: TestingModule;
  let hub: TestHub;
  let orders: Orders;

  beforeEach(async () => {
    module = await Test.createTestingModule({
      imports: [HeraldTestingModule.forRoot({ grantsOf })],
      providers: [Orders],
    }).compile();
    hub = module.get(TestHub);
    orders = module.get(Orders);
  });

  afterEach(() => module.close());

  it('tells what was published', async () => {
    const id = await orders.ship(1);
    await module.get(HubService).publish({ topics: ['/a', '/b'], data: 'no JSON', id: 'urn:2', private: true });
    expect(hub.published()).toEqual([
      { id, topics: ['https://example.com/orders/1'], data: { id: 1 }, type: 'shipped', private: false },
      { id: 'urn:2', topics: ['/a', '/b'], data: 'no JSON', private: true },
    ]);
  });

  it('refuses what a hub refuses', async () => {
    await expect(module.get(HubService).publish({ topics: ['*'] })).rejects.toMatchObject({ code: 'topic-reserved' });
    expect(hub.published()).toEqual([]);
  });

  it('tells what a reader gets: what is matched, and, if private, granted', async () => {
    const [one, two, nobody, all] = [
      hub.subscribeAs('1', [PATTERN]),
      hub.subscribeAs(grantsOf('2'), ['https://example.com/orders/1', 'https://example.com/orders/2']),
      hub.subscribeAs(ANONYMOUS, ['*']),
      hub.subscribeAs(UNLIMITED, ['*']),
    ];
    await orders.ship(1, true);
    await orders.ship(2, true);
    await orders.ship(3);
    const seen = [one, two, nobody, all].map(({ received }) => dataOf(received));
    expect(seen).toEqual([[{ id: 1 }, { id: 3 }], [{ id: 2 }], [{ id: 3 }], [{ id: 1 }, { id: 2 }, { id: 3 }]]);
  });

  it('denies what grants that throw would deny, as a hub does', async () => {
    const canRead = (): never => {
      throw new Error('the store is away');
    };
    module.useLogger(false);
    const reader = hub.subscribeAs({ ...UNLIMITED, readKey: 'x', canRead }, ['*']);
    await orders.ship(1, true);
    await orders.ship(2);
    expect(dataOf(reader.received)).toEqual([{ id: 2 }]);
  });

  it('gives a reader what comes later, until the module is closed', async () => {
    await orders.ship(1);
    const reader = hub.subscribeAs(ANONYMOUS, [PATTERN]);
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const { data } of reader) {
        seen.push(data);
        if (seen.length === 2) await module.close();
      }
    })();
    await orders.ship(2);
    await new Promise(setImmediate);
    await orders.ship(3);
    await reading;
    expect(seen).toEqual([{ id: 2 }, { id: 3 }]);
  });

  it('forgets what it is told to forget, and readers stay', async () => {
    const reader = hub.subscribeAs(ANONYMOUS, ['*']);
    const draft = { topics: ['/a'], data: '1' };
    await module.get(HubService).publish(draft, { idempotencyKey: 'k' });
    hub.clear();
    expect([hub.published(), reader.received]).toEqual([[], []]);
    const history = module.get(HistoryService);
    const all = { matchers: [{ type: 'exact', pattern: '*' }], grants: UNLIMITED } as const;
    expect((await history.find(all)).updates).toEqual([]);
    await module.get(HubService).publish(draft, { idempotencyKey: 'k' });
    expect([dataOf(hub.published()), dataOf(reader.received)]).toEqual([[1], [1]]);
    expect((await history.find(all)).updates).toHaveLength(1);
  });

  it('revokes what was granted: who reads with it is ended, and who comes with it later', async () => {
    const [one, two] = [hub.subscribeAs('1', [PATTERN]), hub.subscribeAs('2', [PATTERN])];
    const real = module.get(HubService);
    expect(await real.revoke({ subject: '1' })).toBe(1);
    const again = hub.subscribeAs('1', [PATTERN]);
    await orders.ship(1, true);
    await orders.ship(2, true);
    expect(dataOf(two.received)).toEqual([{ id: 2 }]);
    // Each of these has an end.
    for (const ended of [one, again, real.updates('*', { grants: grantsOf('1') })]) {
      expect(await restOf(ended)).toEqual([]);
    }
    await expect(real.revoke({})).rejects.toMatchObject({ code: 'criteria-missing' });
  });

  it('purges what was published, and has no connections', async () => {
    await orders.ship(1);
    const real = module.get(HubService);
    expect(await real.purge({ topics: 'https://example.com/orders/1' })).toBe(1);
    expect((await real.history('*')).updates).toEqual([]);
    expect(real.connections()).toEqual({ connections: [], total: 0, next: undefined });
    expect([real.connection(1), real.disconnect({ subject: '1' })]).toEqual([undefined, 0]);
  });

  it('says who has to tell what a subject may read, where nobody does', async () => {
    await using other = {
      module: await Test.createTestingModule({ imports: [HeraldTestingModule.forRoot()] }).compile(),
      async [Symbol.asyncDispose](): Promise<void> {
        await this.module.close();
      },
    };
    expect(() => other.module.get(TestHub).subscribeAs('1', ['*'])).toThrow('grantsOf');
  });

  it('refuses a matcher that a hub would refuse', () => {
    expect(() => hub.subscribeAs(ANONYMOUS, [{ type: 'urlpattern', pattern: '/{' }])).toThrow(
      expect.objectContaining({ code: 'matcher-invalid' }),
    );
  });
});

it('hubs of a unit test may have names', async () => {
  @Injectable()
  class Audit {
    constructor(@InjectHub('audit') readonly hub: HubService) {}
  }
  const module = await Test.createTestingModule({
    imports: [HeraldTestingModule.forRoot(), HeraldTestingModule.forRoot({ name: 'audit' })],
    providers: [Audit, Orders],
  }).compile();
  await module.get(Audit).hub.publish({ topics: ['/audit'] });
  await module.get(Orders).ship(1);
  const topicsOf = (hub: TestHub): unknown => hub.published().map(({ topics }) => topics);
  expect(topicsOf(module.get<TestHub>(testHubToken('audit')))).toEqual([['/audit']]);
  expect(topicsOf(module.get(TestHub))).toEqual([['https://example.com/orders/1']]);
  expect(module.get(hubToken('audit'))).toBe(module.get(Audit).hub);
  await module.close();
});
