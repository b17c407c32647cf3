import { Redis, type RedisOptions } from 'ioredis';

/** Where Redis is. */
export interface RedisTarget {
  /** `redis://` or `rediss://`, with user, password and number of the database as they need be. */
  readonly url: string;
  /** Whom to ask for the address of the master, if there are Sentinels; the URL's own address does not count then. */
  readonly sentinels: readonly RedisAddress[];
  /** The master's name among the Sentinels. */
  readonly sentinelName: string;
  /** Whether the URL is that of any node of a Redis Cluster. */
  readonly isCluster: boolean;
}

interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** A connection to a server that knows the scripts. */
export interface RedisConnection {
  readonly client: Redis;
  /** What the server calls each script, by its text. */
  readonly scripts: ReadonlyMap<string, string>;
}

/** Milliseconds in which a command that does not block must be answered: Redis is taken for stalled then. */
export const COMMAND_TIMEOUT = 2_000;

/**
 * A fresh connection to the server that is the master now. It is not mended when it breaks: `RedisLink` makes the next
 * one, which may lead elsewhere. For a Cluster that is the node that has the slot of all our keys, so that blocking
 * reads and `WAIT` are the same everywhere.
 *
 * @param key one of the keys, all of which have the same slot.
 * @param scripts that {@link runScript} will be asked for.
 * @throws when there is none within a few seconds.
 */
export async function connectRedis(
  target: RedisTarget,
  key: string,
  scripts: readonly string[],
): Promise<RedisConnection> {
  const client = target.isCluster ? await openOwner(target, key) : await open(optionsOf(target));
  try {
    const names = await Promise.all(scripts.map(async (script) => String(await client.script('LOAD', script))));
    return { client, scripts: new Map(scripts.map((script, index) => [script, names[index] ?? ''])) };
  } catch (error) {
    client.disconnect();
    throw error;
  }
}

/** Runs one of the scripts that the connection was made with. */
export function runScript(
  { client, scripts }: RedisConnection,
  script: string,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  return client.evalsha(scripts.get(script) ?? '', keys.length, ...keys, ...args);
}

function optionsOf({ url, sentinels, sentinelName }: RedisTarget): RedisOptions {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  const tls = protocol === 'rediss:' ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {};
  const server =
    sentinels.length > 0
      ? { sentinels: [...sentinels], name: sentinelName, sentinelRetryStrategy: () => null }
      : { host: hostname.replaceAll(/^\[|\]$/g, ''), port: Number(port || 6379) };
  return {
    ...server,
    ...tls,
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    db: Number(pathname.slice(1) || 0),
    lazyConnect: true,
    connectionName: 'herald',
    connectTimeout: COMMAND_TIMEOUT,
    // A connection that is given up is not waited for.
    disconnectTimeout: 50,
    commandTimeout: COMMAND_TIMEOUT,
    blockingTimeout: COMMAND_TIMEOUT,
    blockingTimeoutGrace: COMMAND_TIMEOUT,
    // What is under way when a connection breaks is decided by whoever sent it: see `RedisAppender`.
    retryStrategy: null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    keepAlive: 10_000,
  };
}

async function open(options: RedisOptions): Promise<Redis> {
  const client: Redis = new Redis({ ...options, protocol: 2, replyMapping: 'legacy' });
  // The promise says only that it did not work. Later errors are told to those who wait for an answer.
  let reason: unknown;
  client.on('error', (error) => (reason = error));
  const timer = setTimeout(() => client.disconnect(), 2 * COMMAND_TIMEOUT);
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.disconnect();
    throw reason ?? error;
  } finally {
    clearTimeout(timer);
  }
}

/** Asks the node that the URL names which one has the key's slot, and connects to that. */
async function openOwner(target: RedisTarget, key: string): Promise<Redis> {
  const options = optionsOf(target);
  const seed = await open(options);
  try {
    const slot = await seed.cluster('KEYSLOT', key);
    const ranges = await seed.cluster('SLOTS');
    const owner = ranges.find(([first, last]) => slot >= first && slot <= last)?.[2];
    if (!owner) throw new Error('no node of the Redis Cluster has the slot of the keys');
    // A node that does not know its own address says nothing: then it is the one that was asked.
    return await open({ ...options, ...(owner[0] && { host: owner[0] }), port: owner[1] });
  } finally {
    seed.disconnect();
  }
}
