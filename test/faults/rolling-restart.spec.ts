import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type EdgeKind, HAPROXY, NGINX } from '../support/edge-kinds.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { drawReturns, mostInASecond } from './support/rolling/returns.js';
import { roll, type Rolled } from './support/rolling/rolling.js';
import { isLong, say, TIMEOUT } from './support/run-options.js';

/** As many as are asked for where there is time; otherwise a few, for whom nobody can count returns by the second. */
const READERS = isLong ? 3_000 : 150;
const WINDOW = isLong ? 5_000 : 1_000;

/** Of what would be even, the most that may come back in any second. */
const UNEVEN = 1.5;

const FOLDER = 'test-results/rolling-restart';

/** Both proxies where there is time, and one for each journal otherwise. */
const BEFORE_REDIS = isLong ? [HAPROXY, NGINX] : [HAPROXY];
const BEFORE_LMDB = isLong ? [HAPROXY, NGINX] : [NGINX];

describe.each(BEFORE_REDIS)('a rolling restart of three processes on Redis behind $name', (kind) => {
  describeWith(kind.program, 'with all in use', (program) => {
    describeWith(redisServer, 'and a Redis of its own', (redisProgram) => {
      it(
        'loses and doubles nothing, refuses no publication, and tells of nobody who never left',
        async () => {
          await using redis = await RedisServer.start(redisProgram, { configuration: ['appendfsync no'] });
          const common = { kind, program, journal: redis.url, readers: READERS, window: WINDOW };
          const rolled = await roll({ ...common, processes: 3 });
          await report(kind, 'Redis', rolled);
          expect(rolled.faults).toEqual([]);
          expect(rolled.flaps).toBe(0);
          // A connection that is reset before any byte of an answer is all that a publisher may meet.
          expect(Object.keys(rolled.troubles).filter((trouble) => trouble !== 'ECONNRESET')).toEqual([]);
          expectEven(rolled);
        },
        2 * TIMEOUT,
      );
    });
  });
});

describe.each(BEFORE_LMDB)('a restart of the only process, with LMDB, behind $name', (kind) => {
  describeWith(kind.program, 'with all in use', (program) => {
    it(
      'loses and doubles nothing, and tells of nobody who never left',
      async () => {
        const folder = await mkdtemp(join(tmpdir(), 'herald-rolling-'));
        try {
          const common = { kind, program, journal: `lmdb:${folder}`, readers: READERS, window: WINDOW };
          const rolled = await roll({ ...common, processes: 1 });
          await report(kind, 'LMDB', rolled);
          expect(rolled.faults).toEqual([]);
          expect(rolled.flaps).toBe(0);
          // While the only process is away, the proxy says so, or hangs up.
          const allowed = new Set(['502 of the proxy', '503 of the proxy', '504 of the proxy', 'ECONNRESET']);
          expect(Object.keys(rolled.troubles).filter((trouble) => !allowed.has(trouble))).toEqual([]);
          expectEven(rolled);
        } finally {
          await rm(folder, { recursive: true });
        }
      },
      2 * TIMEOUT,
    );
  });
});

/** Where there are enough readers to tell. */
function expectEven({ restarts }: Rolled): void {
  for (const { readers, comings } of restarts) {
    expect(comings).toHaveLength(readers);
    if (isLong) expect(mostInASecond(comings)).toBeLessThanOrEqual((UNEVEN * readers * 1_000) / WINDOW);
  }
}

async function report({ name }: EdgeKind, journal: string, rolled: Rolled): Promise<void> {
  const { published, troubles, remedies, flaps, restarts } = rolled;
  const scenario = `rolling restart behind ${name}, ${journal}`;
  say(scenario, JSON.stringify({ published, troubles, remedies, flaps }));
  for (const { readers, ended, ready, comings } of restarts) {
    const most = mostInASecond(comings);
    say(
      scenario,
      `${readers} readers, ended after ${ended.toFixed(0)} ms, ready after ${ready.toFixed(0)} ms, most in a second ${most}`,
    );
  }
  await mkdir(FOLDER, { recursive: true });
  const file = join(FOLDER, `${name}-${journal}`.toLowerCase());
  await writeFile(`${file}.json`, `${JSON.stringify(rolled)}\n`);
  await writeFile(`${file}.svg`, drawReturns(`${scenario}: readers that come back`, restarts, WINDOW));
}
