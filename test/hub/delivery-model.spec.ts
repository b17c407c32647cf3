import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { TLS_ENVIRONMENT } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { type Command, commands } from './model/command.js';
import { type Engine, startLmdb, startMemory, startRedis } from './model/engines.js';
import type { Kept } from './model/model-log.js';
import { run, type Settings } from './model/run.js';

/**
 * Whatever readers do over whatever sockets, each of them sees the log. `HERALD_MODEL_SEED` and `HERALD_MODEL_PATH` repeat
 * a run, `HERALD_MODEL_SECONDS` prolongs it (for each setting), and then a failure is also made smaller.
 */
const SEED = Number(process.env['HERALD_MODEL_SEED'] ?? Date.now() % 2 ** 31);
const PATH = process.env['HERALD_MODEL_PATH'];
const LONG = process.env['HERALD_MODEL_SECONDS'];

/** Milliseconds for each setting, after which no run begins any more, and those for making a failure smaller. */
const BUDGET = Number(LONG ?? 5) * 1_000;
const SHRINKING = LONG ? 180_000 : 0;

/** Milliseconds that the start and one run may take at most. */
const LONGEST = 120_000;

/** Each connection is told of as coming and going, and most of that is trimmed at once: positions are full of holes. */
const WITH_HOLES = {
  HERALD_SUBSCRIPTIONS: 'true',
  HERALD_SUBSCRIPTIONS_GRACE: '0',
  HERALD_PRESENCE_RETAIN_EVENTS: '3',
};

const DAY = 86_400_000;
const ALL: Kept = { events: 1_000_000, bytes: 2 ** 31, age: DAY };

interface Hub extends Settings {
  readonly name: string;
  /** Whether a loss takes long, which is so unless it is said. */
  readonly losesRarely?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

function environmentOf({ kept, hasMaxAge, env }: Hub): Record<string, string> {
  return {
    HERALD_RETAIN_EVENTS: String(kept.events),
    HERALD_RETAIN_BYTES: `${kept.bytes / 1024}kb`,
    HERALD_RETAIN_AGE: `${kept.age}ms`,
    HERALD_RECENT_BYTES: '256kb',
    HERALD_MAX_AGE: hasMaxAge ? '700ms' : '10m',
    ...env,
  };
}

/** One hub for all runs, until one of them fails. `await using` ends it. */
class Hubs implements AsyncDisposable {
  /** How many runs there were. */
  runs = 0;
  private engine: Engine | undefined;
  private deadline = Infinity;
  /** The deadline after a failure. */
  private latest = Infinity;

  constructor(
    private readonly hub: Hub,
    private readonly start: (env: Record<string, string>) => Promise<Engine>,
  ) {}

  async run(given: readonly Command[]): Promise<void> {
    if (performance.now() > this.deadline) return;
    this.engine ??= await this.start(environmentOf(this.hub));
    if (this.runs === 0) {
      this.deadline = performance.now() + BUDGET;
      this.latest = this.deadline + SHRINKING;
    }
    this.runs += 1;
    try {
      await run(this.engine, this.hub, given);
    } catch (error) {
      this.deadline = this.latest;
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine?.[Symbol.asyncDispose]();
    this.engine = undefined;
  }
}

function itDelivers(hub: Hub, start: (env: Record<string, string>) => Promise<Engine>): void {
  it(
    `shows each reader the log, ${hub.name}`,
    async () => {
      await using hubs = new Hubs(hub, start);
      const options = { ages: hub.kept.age < DAY, losesRarely: hub.losesRarely ?? true };
      const property = fc.asyncProperty(commands(options), (given) => hubs.run(given));
      const path = PATH === undefined ? {} : { path: PATH };
      await fc.assert(property, { seed: SEED, numRuns: 1_000, endOnFailure: !LONG, ...path });
      console.log(`${hub.name}: ${hubs.runs} runs`);
    },
    BUDGET + LONGEST + SHRINKING,
  );
}

describe(`delivery with HERALD_MODEL_SEED=${SEED}`, () => {
  describe('from memory', () => {
    itDelivers(
      { name: 'trimmed by count, with holes', kept: { ...ALL, events: 40 }, hasMaxAge: false, env: WITH_HOLES },
      startMemory,
    );
    itDelivers(
      {
        name: 'trimmed by age, over TLS, with heartbeats all the time',
        kept: { ...ALL, age: 1_000 },
        hasMaxAge: false,
        env: { ...TLS_ENVIRONMENT, HERALD_HEARTBEAT: '20ms' },
      },
      startMemory,
    );
  });

  describe('from LMDB', () => {
    itDelivers(
      {
        name: 'trimmed by bytes, over TLS, with holes',
        kept: { ...ALL, bytes: 3 * 1024 ** 2 },
        hasMaxAge: false,
        env: { ...TLS_ENVIRONMENT, ...WITH_HOLES },
      },
      startLmdb,
    );
    itDelivers({ name: 'with connections that are soon too old', kept: ALL, hasMaxAge: true }, startLmdb);
  });

  describeWith(redisServer, 'from Redis', (program) => {
    const start = (env: Record<string, string>): Promise<Engine> => startRedis(program, env);
    const redis = { hasMaxAge: false, losesRarely: false };
    itDelivers(
      {
        name: 'trimmed by count, over any socket, with holes',
        kept: { ...ALL, events: 40 },
        ...redis,
        env: WITH_HOLES,
      },
      start,
    );
    itDelivers({ name: 'which keeps all, over any socket', kept: ALL, ...redis }, start);
  });
});
