import { Redis, type RedisOptions } from 'ioredis';

/** Where Redis is. */
export interface RedisTarget {
  /** `redis://` or `rediss://`, with user, password and database number where they are needed. */
  readonly url: string;
  /** The Sentinels that are asked for the master's address. If there are any, the URL's own address does not count. */
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
  /** The SHA-1 digest by which the server knows each script, by the script's text. */
  readonly scripts: ReadonlyMap<string, string>;
}

/** Milliseconds in which a command that does not block must be answered; otherwise Redis counts as stalled. */
export const COMMAND_TIMEOUT = 2_000;

/**
 * Makes a new connection to the server that is the master now. When the connection breaks, ioredis does not mend it:
 * `RedisLink` makes the next one, which may lead to another server. In a Cluster, the server is the node that has the
 * slot of all of Herald's keys, so that blocking reads and `WAIT` work as they do without a Cluster.
 *
 * @param key one of the keys, all of which have the same slot.
 * @param scripts those that {@link runScript} will be asked for.
 * @throws when there is no connection within a few seconds.
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
    // A connection that is given up gets hardly any time to end in order.
    disconnectTimeout: 50,
    commandTimeout: COMMAND_TIMEOUT,
    blockingTimeout: COMMAND_TIMEOUT,
    blockingTimeoutGrace: COMMAND_TIMEOUT,
    // Whoever sent a command decides whether to send it again after a break: see `RedisAppender`.
    retryStrategy: null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    keepAlive: 10_000,
  };
}

async function open(options: RedisOptions): Promise<Redis> {
  const client: Redis = new Redis({ ...options, protocol: 2, replyMapping: 'legacy' });
  // The promise of `connect` does not say why it failed; this event does. Later errors reach whoever waits for an
  // answer.
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
    // A node that does not know its own address leaves it empty: then the owner is the node that was asked.
    return await open({ ...options, ...(owner[0] && { host: owner[0] }), port: owner[1] });
  } finally {
    seed.disconnect();
  }
}
