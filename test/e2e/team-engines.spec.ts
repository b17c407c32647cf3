import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DynamicModule, type FactoryProvider, Module } from '@nestjs/common';
import { describeState, GRACE } from '../../src/contracts/index.js';
import {
  type Arrival,
  type Departure,
  type Entered,
  HeraldModule,
  type HeraldExtras,
  type HeraldOptions,
  SharedState,
} from '../../src/herald/index.js';
import { MemoryState } from '../../src/storage/state/memory/memory-state.js';
import { TOOLS } from '../support/contract-tools.js';
import { HUB } from '../support/hub.js';
import { ADAPTERS, NamedUsers, TeamApp } from '../support/team-app.js';

/* Applications that bring a state of their own for the hub, and whatever may go wrong with it. */

const AT = 'https://team.example';

/** What a team may write around another state. */
class OwnState extends MemoryState {
  arrivals = 0;
  isClosed = false;

  override change(changes: readonly (Arrival | Departure)[]): Promise<readonly Entered[]> {
    this.arrivals += changes.filter(({ kind }) => kind === 'enter').length;
    return super.change(changes);
  }

  override async close(): Promise<void> {
    this.isClosed = true;
    await super.close();
  }
}

describeState(TOOLS, { name: 'an application’s own class', open: () => Promise.resolve(new OwnState(GRACE)) });

/** A hub whose state comes from a module of the application. */
function hubWith(
  useFactory: FactoryProvider['useFactory'],
  options: Partial<HeraldOptions> & HeraldExtras = {},
): DynamicModule {
  @Module({ providers: [{ provide: 'our state', useFactory }], exports: ['our state'] })
  class StateModule {}

  return HeraldModule.forRoot({
    hubUrl: AT + HUB,
    grantsResolver: NamedUsers,
    imports: [StateModule],
    state: 'our state',
    ...options,
    hub: { subscriptions: { enabled: true, grace: 0 }, ...options.hub },
  });
}

describe.each(ADAPTERS)('a state of the application’s own, on %s', (adapter) => {
  it.each([
    ['the only hub', {}, HUB],
    ['a hub with a name', { name: 'orders', path: '/orders/hub', hubUrl: `${AT}/orders/hub` }, '/orders/hub'],
  ])('has who is subscribed at %s, and is closed by it', async (_, options, hub) => {
    const state = new OwnState(0);
    {
      await using team = await TeamApp.start(adapter, { imports: [hubWith(() => Promise.resolve(state), options)] });
      await using stream = await team.read('match=urn:a&match=urn:b', { hub });
      expect(stream.response.statusCode).toBe(200);
      expect(state.arrivals).toBe(1);
      const { text } = await team.ask(`${hub}/subscriptions`, { headers: { 'x-user': 'ann' } });
      expect(JSON.parse(text)).toMatchObject({ subscriptions: [{ match: 'urn:a' }, { match: 'urn:b' }] });
      if (hub === HUB) expect(team.app.get(SharedState, { strict: false })).toBe(state);
      expect(state.isClosed).toBe(false);
    }
    expect(state.isClosed).toBe(true);
  });
});

describe('a start that fails', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'herald-engines-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('because of the state leaves no journal open', async () => {
    const hub = { journal: `lmdb:${directory}` };
    const failing = hubWith(() => Promise.reject(new Error('our store is away')), { hub });
    await expect(TeamApp.start('Fastify', { imports: [failing] })).rejects.toThrow('our store is away');
    await using team = await TeamApp.start('Fastify', { imports: [hubWith(() => new OwnState(0), { hub })] });
    expect(await team.publish({ topic: 'urn:a', data: 'x' })).toMatchObject({ status: 200 });
  });

  it('because of the journal leaves no state open', async () => {
    const state = new OwnState(0);
    const hub = { journal: 'nothing:' };
    await expect(TeamApp.start('Fastify', { imports: [hubWith(() => state, { hub })] })).rejects.toThrow(
      'There is no journal engine of this name',
    );
    expect(state.isClosed).toBe(true);
  });
});
