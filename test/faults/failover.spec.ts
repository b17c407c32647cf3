import { expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import { Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { checkHistory, type Loss } from './support/check.js';
import { Fleet } from './support/fleet.js';
import type { History } from './support/history.js';
import { KEEPS_ALL } from './support/keeps-all.js';
import type { Random } from './support/random.js';
import type { FaultReader } from './support/reader.js';
import { chance, harass, say, TIMEOUT } from './support/run-options.js';
import { SentinelTrio } from './support/sentinel.js';
import { Workload } from './support/workload.js';

const PUBLISHERS = 3;

/** What a process logs when it finds that entries are gone. */
const LOSS = /Redis has lost its newest entries/;

/** How many acknowledged updates the replica never gets, at most, when nobody waits for it. */
const MOST_LOST = 40;

describeWith(redisServer, 'a Sentinel failover', (program) => {
  it(
    'loses nothing that was acknowledged, where a replica is waited for',
    async () => {
      const random = chance('failover with a replica waited for');
      let acknowledged = 0;
      const rounds = await harass(1, async () => {
        await using trio = await SentinelTrio.start(program);
        const env = { ...trio.environment(1), ...KEEPS_ALL };
        await using fleet = await Fleet.start([env, { ...env, ...TLS_ENVIRONMENT }]);
        await using workload = new Workload({ random: random.fork(), urls: fleet.urls });
        workload.addReaders(3);
        workload.addReaders(3, { stays: 1_500, drops: 0.002 });
        // An id that was lost and is published again would be a place in both logs for a reader that comes back with it.
        await workload.addPublishers(PUBLISHERS, { givesIds: false });
        await workload.acknowledges(random.between(20, 200));
        await trio.failOver();
        // Until it has a replica of its own, nothing can be acknowledged.
        await trio.restoreReplica();
        await workload.acknowledges(random.between(20, 200));
        const log = await workload.finish();
        acknowledged += workload.history.acknowledged;
        const lost = lossOf(workload.history, fleet.heralds);
        expect(checkHistory(workload.history, { log, ...(lost && { lost }) })).toEqual([]);
        const held = new Set(log);
        expect(workload.history.idsWith('acknowledged').filter((id) => !held.has(id))).toEqual([]);
      });
      say('failover with a replica waited for', `${rounds} times, ${acknowledged} acknowledged`);
    },
    TIMEOUT,
  );

  it(
    'without that loses what the replica did not have, and exactly those readers are told who got some of it',
    async () => {
      const random = chance('failover without waiting');
      const rounds = await harass(1, async () => {
        await expectExactLoss(program, random);
      });
      say('failover without waiting', `${rounds} times`);
    },
    TIMEOUT,
  );

  it(
    'does not acknowledge what the replica that is waited for does not confirm',
    async () => {
      await using trio = await SentinelTrio.start(program);
      await using herald = await startHub(trio.environment(1));
      using publisher = await Publisher.of(herald);
      const key = { 'idempotency-key': 'k' };
      trio.replica.freeze();
      const refused = await publisher.post('topic=urn:t&id=a', key);
      expect(refused.statusCode).toBe(503);
      refused.resume();
      trio.replica.thaw();
      expect(await publisher.publish({ topic: 'urn:t', id: 'a' }, key)).toBe('a');
    },
    TIMEOUT,
  );
});

/**
 * One failover of which it is known what it loses: all that was acknowledged while the replica was cut off. Publishers
 * rest while the master dies, so that every reader has seen whatever it had.
 */
async function expectExactLoss(program: string, random: Random): Promise<void> {
  await using trio = await SentinelTrio.start(program);
  const env = { ...trio.environment(0), ...KEEPS_ALL };
  await using fleet = await Fleet.start([env, { ...env, ...TLS_ENVIRONMENT }]);
  await using workload = new Workload({ random: random.fork(), urls: fleet.urls });
  const { history } = workload;
  const gate = new Gate();
  // Some at each process, so that what all of them have, each process has followed.
  const stayers = Array.from({ length: 4 }, (_, index) =>
    workload.addReader({
      urls: () =>
        fleet
          .urls()
          .slice(index % 2)
          .slice(0, 1),
    }),
  );
  const movers = Array.from({ length: 3 }, () => workload.addReader({ stays: 1_500 }));
  let isAway = false;
  const absent = workload.addReader({ urls: () => (isAway ? [] : fleet.urls()) });
  await workload.addPublishers(PUBLISHERS, { mayGoOn: () => gate.pass(), givesUp: 0 });

  await workload.acknowledges(random.between(20, 200));
  await gate.close(PUBLISHERS);
  const kept = history.idsWith('acknowledged').length;
  await allHave(history, kept, [...stayers, ...movers, absent]);
  isAway = true;
  absent.drop();
  await trio.cutReplica();
  gate.open();
  await workload.acknowledges(random.between(1, MOST_LOST));
  await gate.close(PUBLISHERS);
  const lostIds = history.idsWith('acknowledged').slice(kept);
  await allHave(history, kept + lostIds.length, [...stayers, ...movers]);
  const ids = history.idsOf(stayers[0]?.name ?? '').slice(kept);

  await trio.failOver();
  gate.open();
  // By then nobody is given anything any more that is lost.
  await Promise.all(fleet.heralds.map((herald) => herald.waitForLog(LOSS)));
  isAway = false;
  const log = await workload.finish();
  const complaints = checkHistory(history, { log, lost: { after: kept, ids } });
  if (complaints.length > 0) complaints.push(`the Sentinel is at its failover number ${await trio.epoch()}`);
  expect(complaints).toEqual([]);
  // What is not in the new master's log is what was acknowledged while it was cut off, and what readers were told of.
  const held = new Set(log);
  expect(history.idsWith('acknowledged').filter((id) => !held.has(id))).toEqual(lostIds);
  expect(new Set(ids)).toEqual(new Set(lostIds));
  expect(stayers.map(({ name }) => history.noticesTo(name))).toEqual(stayers.map(() => [{ notice: 'reset' }]));
  for (const { name } of movers) expect(history.noticesTo(name)).not.toEqual([]);
  expect(history.noticesTo(absent.name)).toEqual([]);
  const loss = { position: kept, lost: ids.length, resets: 1 };
  expect(fleet.heralds.map((herald) => lossesIn(herald))).toEqual(fleet.heralds.map(() => [loss]));
}

/** Resolves once these readers have seen so many updates. */
async function allHave(history: History, count: number, readers: readonly FaultReader[]): Promise<void> {
  await history.until(`readers have ${count} updates`, () =>
    readers.every(({ name }) => history.idsOf(name).length >= count),
  );
}

/** What was lost of what nobody was promised, as far as a process has noticed: from the longest that a reader saw. */
function lossOf(history: History, heralds: readonly Herald[]): Loss | undefined {
  const [loss] = heralds.flatMap((herald) => lossesIn(herald));
  if (!loss) return undefined;
  const stretches = [...history.readers.values()].map((seen) => {
    const end = seen.findIndex((one) => 'notice' in one);
    return seen.slice(0, Math.max(0, end)).flatMap((one) => ('id' in one ? [one.id] : []));
  });
  const longest = stretches.reduce((most, ids) => (ids.length > most.length ? ids : most), []);
  return { after: loss.position, ids: longest.slice(loss.position) };
}

interface LoggedLoss {
  readonly position: number;
  readonly lost: number;
  readonly resets: number;
}

/** What a process has logged of losses. */
function lossesIn(herald: Herald): LoggedLoss[] {
  return herald
    .logLines()
    .filter(({ msg }) => LOSS.test(String(msg)))
    .map(({ position, lost, resets }) => ({
      position: Number(position),
      lost: Number(lost),
      resets: Number(resets),
    }));
}

/** Where publishers wait between two updates, while it is closed. */
class Gate {
  private readonly waiting: (() => void)[] = [];
  private isOpen = true;
  private changed = (): void => undefined;

  async pass(): Promise<void> {
    if (this.isOpen) return;
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      this.changed();
    });
  }

  /** Resolves once so many wait. */
  async close(count: number): Promise<void> {
    this.isOpen = false;
    while (this.waiting.length < count) await new Promise<void>((resolve) => (this.changed = resolve));
  }

  open(): void {
    this.isOpen = true;
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
