import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Herald, startHerald } from './herald.js';
import { HUB, HUB_ENVIRONMENT, Publisher, subscriberToken, TLS_ENVIRONMENT } from './hub.js';
import { RedisServer } from './redis.js';
import type { Transport } from './transports.js';

/** What happens to a reader of a quiet topic that is away for a while, whatever kind of reader it is. */

/** Updates that are kept, and enough of others to have all of them trimmed. */
const KEPT = 40;
const OTHERS = 3 * KEPT;

/** More than a quarter of what is kept, after which a reader that hears nothing is told where it is. */
const CHUNK = KEPT / 2;

const MISSED = ['while it was away', 'and another'];
const CAUGHT_UP = '{"type":"caught-up"}';

/** All that it has missed, once and in order, and nothing of a gap. */
export const NOTHING_LOST: readonly string[] = [...MISSED, CAUGHT_UP, 'live'];

/** What has come to a reader so far. */
export interface Seen {
  /** How often it was told where it is, and nothing else. */
  readonly cursors: number;
  /** The data of everything else, in order. */
  readonly events: readonly string[];
}

/** A reader that is asked for by `open`, and comes back with its last id as the HTML standard says. */
export interface AbsentReader extends AsyncDisposable {
  until(condition: (seen: Seen) => boolean): Promise<Seen>;
  /** Resolves once its stream has ended, after which it stays away. */
  away(): Promise<void>;
  comeBack(): Promise<void>;
}

/** Where a log is kept, so that a process which comes back has it. */
export interface Log extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
}

export async function inMemory(): Promise<Log> {
  return { env: {}, [Symbol.asyncDispose]: () => Promise.resolve() };
}

export async function onDisk(): Promise<Log> {
  const path = await mkdtemp(join(tmpdir(), 'herald-absence-'));
  return {
    env: { HERALD_JOURNAL: `lmdb:${path}` },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

export async function inRedis(program: string): Promise<Log> {
  const redis = await RedisServer.start(program);
  return { env: { HERALD_JOURNAL: redis.url }, [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() };
}

/** A process that can be ended and started again, at the same address and with the same log. */
export class LastingHub implements AsyncDisposable {
  private constructor(
    private herald: Herald,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  static async start(env: Readonly<Record<string, string>>): Promise<LastingHub> {
    return new LastingHub(await startHerald({ env }), env);
  }

  get url(): string {
    return this.herald.url;
  }

  get port(): number {
    return this.herald.port;
  }

  async kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.herald.kill(signal);
  }

  async startAgain(): Promise<void> {
    this.herald = await startHerald({ env: this.env, port: this.herald.port });
  }

  async publish(topic: string, ...data: readonly string[]): Promise<void> {
    using publisher = await Publisher.of(this.herald);
    for (const one of data) await publisher.publish({ topic, data: one });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.herald[Symbol.asyncDispose]();
  }
}

export type MakeToken = () => Promise<string>;

/** Why a stream ends. */
export interface Cause {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Makes the token, which counts from then on: it is asked for right before the stream is. */
  readonly token?: MakeToken;
  /** Ends the stream. Where that is not needed, it ends by itself. */
  readonly end?: (hub: LastingHub) => Promise<void>;
  /** Brings the hub back. */
  readonly mend?: (hub: LastingHub) => Promise<void>;
}

const startAgain = (hub: LastingHub): Promise<void> => hub.startAgain();

/** Seconds that a stream lasts which ends by itself: on a busy machine, everything takes some to be trimmed. */
const LIFETIME = 8;

export const MAX_AGE: Cause = { name: 'its maximum age', env: { HERALD_MAX_AGE: `${LIFETIME}s` } };
export const EXPIRY: Cause = {
  name: 'its token expires',
  token: () => subscriberToken({ expires: new Date(Math.ceil(Date.now() / 1_000 + LIFETIME) * 1_000) }),
};
export const SIGTERM: Cause = { name: 'SIGTERM', end: (hub) => hub.kill('SIGTERM'), mend: startAgain };
export const SIGKILL: Cause = { name: 'SIGKILL', end: (hub) => hub.kill('SIGKILL'), mend: startAgain };

export interface Absence {
  readonly transport: Transport;
  readonly makeLog: () => Promise<Log>;
  readonly cause: Cause;
  /** Whether it has had an update before, which is trimmed when it comes back. */
  readonly hasHadOne: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly open: (hub: LastingHub, path: string, makeToken: MakeToken | undefined) => Promise<AbsentReader>;
}

/** What a reader of a quiet topic gets when it comes back, up to the first live event. */
export async function seenAfterAbsence({
  transport,
  makeLog,
  cause,
  hasHadOne,
  env,
  open,
}: Absence): Promise<string[]> {
  await using log = await makeLog();
  await using hub = await LastingHub.start({
    ...HUB_ENVIRONMENT,
    HERALD_RETAIN_EVENTS: String(KEPT),
    ...log.env,
    ...cause.env,
    ...env,
    ...(transport !== 'http1' && TLS_ENVIRONMENT),
  });
  await using reader = await open(hub, `${HUB}?match=urn:quiet`, cause.token);
  await reader.until(({ cursors }) => cursors === 1);
  if (hasHadOne) {
    await hub.publish('urn:quiet', 'before');
    await reader.until(({ events }) => events.length === 1);
  }
  await trimEverything(hub, reader);
  await cause.end?.(hub);
  await reader.away();
  await cause.mend?.(hub);
  await hub.publish('urn:quiet', ...MISSED);
  const { events: before } = await reader.until(() => true);
  await reader.comeBack();
  await reader.until(({ events }) => events.includes(CAUGHT_UP));
  await hub.publish('urn:quiet', 'live');
  const { events } = await reader.until((seen) => seen.events.at(-1) === 'live');
  return events.slice(before.length);
}

/** The reader hears where it is, again and again, and nothing else. */
async function trimEverything(hub: LastingHub, reader: AbsentReader): Promise<void> {
  for (let published = 0; published < OTHERS; published += CHUNK) {
    const { cursors: before } = await reader.until(() => true);
    await hub.publish('urn:busy', ...Array.from({ length: CHUNK }, (_, index) => String(index)));
    await reader.until(({ cursors }) => cursors > before);
  }
}
