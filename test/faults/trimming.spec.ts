import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { TLS_ENVIRONMENT } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { checkHistory } from './support/check.js';
import { Fleet } from './support/fleet.js';
import { chance, harass, say, TIMEOUT } from './support/run-options.js';
import { Workload } from './support/workload.js';

const RETAINED = 1_000;

/** How far the publishers may be ahead of the witness, the reader that tells the order and must see everything. */
const LEAD = RETAINED / 4;

/** Enough that a stalled reader's socket is full long before its place in the log is trimmed. Characters. */
const DATA = 16_000;

/** Publishes while readers fall so far behind that what they lack is trimmed. */
async function expectTrimming(journal: string, scenario: string): Promise<void> {
  const random = chance(scenario);
  await using fleet = await Fleet.start([
    {
      HERALD_JOURNAL: journal,
      HERALD_RETAIN_EVENTS: String(RETAINED),
      HERALD_RECENT_BYTES: '256kb',
      HERALD_WRITE_TIMEOUT: '10m',
      ...random.pick([{}, TLS_ENVIRONMENT]),
    },
  ]);
  await using workload = new Workload({ random, urls: fleet.urls });
  const { history } = workload;
  const witness = workload.addReader();
  const stallers = [workload.addReader(), workload.addReader(), workload.addReader({ drops: 0.01 })];
  const witnessed = (): number => history.readers.get(witness.name)?.length ?? 0;
  const mayGoOn = (): Promise<void> =>
    history.until('the witness has followed', () => history.acknowledged - witnessed() < LEAD);
  await workload.addPublishers(8, { maxData: DATA, mayGoOn });
  // Who has seen nothing yet asks for the earliest that is held, and misses nothing.
  await history.until('all have begun', () => stallers.every(({ name }) => history.lastIdOf(name) !== undefined));
  const stalls = await harass(2, async () => {
    for (const reader of stallers) reader.stall();
    // So much that what their sockets hold is followed by a gap.
    await workload.acknowledges(RETAINED * random.between(2, 4));
    // One has no connection any more: its last id is no longer held when it comes back.
    if (random.chance(0.5)) stallers[0]?.drop();
    for (const reader of stallers) reader.read();
    await workload.acknowledges(RETAINED / 2);
  });
  const held = await workload.finish();
  const log = history.idsOf(witness.name);
  const gaps = [...history.readers.keys()].flatMap((reader) => history.noticesTo(reader)).length;
  say(scenario, `${stalls} stalls, ${history.acknowledged} acknowledged, ${held.length} held, ${gaps} gaps told`);
  // It came when everything was over, and has what is held: the end of the log.
  expect(held).toEqual(log.slice(-RETAINED));
  history.readers.delete('log1');
  expect(checkHistory(history, { log })).toEqual([]);
  expect(gaps).toBeGreaterThan(0);
  expect(history.noticesTo(witness.name)).toEqual([]);
}

describe('retention in an LMDB journal while readers are far behind', () => {
  it(
    'leaves out what they were too late for, tells them so, and keeps the order',
    async () => {
      const path = await mkdtemp(join(tmpdir(), 'herald-faults-'));
      try {
        await expectTrimming(`lmdb:${path}`, 'trimmed in LMDB');
      } finally {
        await rm(path, { recursive: true });
      }
    },
    TIMEOUT,
  );
});

describeWith(redisServer, 'retention in Redis while readers are far behind', (program) => {
  it(
    'leaves out what they were too late for, tells them so, and keeps the order',
    async () => {
      await using redis = await RedisServer.start(program, { configuration: ['appendfsync everysec'] });
      await expectTrimming(redis.url, 'trimmed in Redis');
    },
    TIMEOUT,
  );
});
