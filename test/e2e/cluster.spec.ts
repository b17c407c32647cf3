import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventStream } from '../support/event-stream.js';
import { type Herald } from '../support/herald.js';
import { ADMIN_KEY, adminToken, HUB, noticesOf, startHub, subscribe, subscriberToken } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { ask, bearer, isCaughtUp } from '../protocol/exchange.js';

const SUBSCRIPTIONS = `${HUB}/subscriptions`;

/** How long somebody may be away without being missed. */
const GRACE = '2s';

/** Two processes of one hub, one of which is killed: it's the time in which that is noticed that this takes. */
const PATIENCE = 60_000;

interface Subscription {
  readonly match: string;
  readonly subscriber: string;
  readonly active: boolean;
}

async function revoke(herald: Herald, subject: string): Promise<number> {
  const { status } = await ask(herald, {
    method: 'POST',
    path: '/admin/revocations',
    token: await adminToken(),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ subject }),
  });
  return status;
}

async function statusOf(herald: Herald, subject: string): Promise<number> {
  const { status } = await ask(herald, { query: 'match=urn:t', token: await subscriberToken({ subject }) });
  return status;
}

describeWith(redisServer, 'two processes on one Redis', (program) => {
  let redis: RedisServer;
  let heralds: Herald[];
  let prefixes = 0;
  const at = (index: number): Herald => heralds[index] as Herald;

  beforeAll(async () => {
    redis = await RedisServer.start(program);
  });
  afterAll(() => redis[Symbol.asyncDispose]());
  beforeEach(async () => {
    prefixes += 1;
    heralds = await Promise.all([start(), start()]);
  });
  afterEach(() => Promise.all(heralds.map((herald) => herald[Symbol.asyncDispose]())));

  function start(): Promise<Herald> {
    return startHub({
      HERALD_JOURNAL: redis.url,
      HERALD_REDIS_PREFIX: `cluster-${prefixes}`,
      HERALD_SUBSCRIPTIONS: 'true',
      HERALD_SUBSCRIPTIONS_GRACE: GRACE,
      HERALD_ADMIN_KEY: ADMIN_KEY,
      LOG_LEVEL: 'debug',
    });
  }

  async function active(herald: Herald, match: string): Promise<string[]> {
    const token = await subscriberToken({ topics: [{ match: SUBSCRIPTIONS }] });
    const { text } = await ask(herald, { path: SUBSCRIPTIONS, token });
    const { subscriptions } = JSON.parse(text) as { subscriptions: Subscription[] };
    return subscriptions.filter((one) => one.match === match).map(({ subscriber }) => subscriber);
  }

  /** Who comes and goes, as somebody sees it who is allowed to. */
  async function watch(herald: Herald): Promise<EventStream> {
    const pattern = `${SUBSCRIPTIONS}/*`;
    const token = await subscriberToken({ topics: [{ match: pattern, match_type: 'urlpattern' }] });
    const query = `match_urlpattern=${encodeURIComponent(pattern)}&last_event_id=earliest`;
    return (await subscribe(herald, { query, headers: bearer(token) })).until(isCaughtUp);
  }

  function told(stream: EventStream, match: string): Subscription[] {
    return stream.events
      .filter(({ event }) => event === 'mercure')
      .map(({ data }) => JSON.parse(data) as Subscription)
      .filter((one) => one.match === match);
  }

  async function enter(herald: Herald, match: string): Promise<EventStream> {
    const stream = await subscribe(herald, { query: `match=${match}&last_event_id=earliest` });
    return stream.until(isCaughtUp);
  }

  it(
    'know of everybody, miss nobody who moves from one to the other, and find out who went with a process that died',
    async () => {
      await using observer = await watch(at(1));
      const first = await enter(at(0), 'urn:moves');
      await using stays = await enter(at(0), 'urn:dies');
      expect(stays.response.statusCode).toBe(200);
      await observer.until((stream) => told(stream, 'urn:moves').length + told(stream, 'urn:dies').length === 2);
      const [moving = '', ...others] = await active(at(1), 'urn:moves');
      expect(others).toEqual([]);
      expect(await active(at(0), 'urn:moves')).toEqual([moving]);

      await first[Symbol.asyncDispose]();
      // From then on its lease is there to be taken up.
      while ((await redis.command('ZCARD', `{cluster-${prefixes}}:presence:away`)) !== 1);
      await using moved = await enter(at(1), 'urn:moves');
      expect(moved.response.statusCode).toBe(200);

      await at(0).kill('SIGKILL');
      await observer.until((stream) => told(stream, 'urn:dies').length === 2);
      expect(told(observer, 'urn:dies').map(({ active: isActive }) => isActive)).toEqual([true, false]);
      // More than the grace has passed since the one who moved was gone for a moment.
      expect(await active(at(1), 'urn:moves')).toEqual([moving]);
      expect(told(observer, 'urn:moves').map(({ active: isActive }) => isActive)).toEqual([true]);
      expect(await active(at(1), 'urn:dies')).toEqual([]);
    },
    PATIENCE,
  );

  it('leave the leases of one that is stopped to the other', async () => {
    await using observer = await watch(at(1));
    const first = await enter(at(0), 'urn:t');
    await observer.until((stream) => told(stream, 'urn:t').length === 1);
    const before = await active(at(1), 'urn:t');
    await at(0).kill('SIGTERM');
    await first[Symbol.asyncDispose]();
    await using moved = await enter(at(1), 'urn:t');
    expect(moved.response.statusCode).toBe(200);
    expect(await active(at(1), 'urn:t')).toEqual(before);
  });

  it('keep out together whom an administrator keeps out at one of them, also after a restart', async () => {
    const token = await subscriberToken({ subject: 'mallory' });
    await using stream = await subscribe(at(1), { query: 'match=urn:t', headers: bearer(token) });
    await expect(revoke(at(0), 'mallory')).resolves.toBe(200);
    await stream.ended;
    expect(noticesOf(stream).at(-1)).toEqual(expect.objectContaining({ type: 'revoked' }));
    await expect(statusOf(at(1), 'mallory')).resolves.toBe(401);
    await expect(statusOf(at(1), 'alice')).resolves.toBe(200);
    await Promise.all(heralds.map((herald) => herald.kill('SIGTERM')));
    heralds = [await start()];
    await expect(statusOf(at(0), 'mallory')).resolves.toBe(401);
  });

  it('tell an administrator of each other', async () => {
    const token = await adminToken();
    let processes: { isThis: boolean; version: string; connections: number }[] = [];
    while (processes.length < 2) {
      const { text } = await ask(at(0), { path: '/admin/processes', token });
      ({ processes } = JSON.parse(text) as { processes: typeof processes });
    }
    expect(processes.filter(({ isThis }) => isThis)).toHaveLength(1);
    expect(processes.map(({ version }) => version)).toEqual([processes[0]?.version, processes[0]?.version]);
    const refused = await ask(at(0), { path: '/admin/processes', token: await subscriberToken() });
    expect([401, 403]).toContain(refused.status);
  });

  it('revoke nothing while Redis is away, and say so', async () => {
    redis.freeze();
    try {
      await expect(revoke(at(0), 'mallory')).resolves.toBe(503);
    } finally {
      redis.thaw();
    }
  });
});

describe('one process on LMDB', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'herald-cluster-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('keeps out after a kill whom an administrator has kept out', async () => {
    const env = { HERALD_JOURNAL: `lmdb:${join(directory, 'journal')}`, HERALD_ADMIN_KEY: ADMIN_KEY };
    const first = await startHub(env);
    await expect(revoke(first, 'mallory')).resolves.toBe(200);
    await first.kill('SIGKILL');
    await using second = await startHub(env);
    await expect(statusOf(second, 'mallory')).resolves.toBe(401);
    await expect(statusOf(second, 'alice')).resolves.toBe(200);
  });
});
