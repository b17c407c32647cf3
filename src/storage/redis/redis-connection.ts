import type { ConnectionOptions } from 'node:tls';
import { Redis, type RedisOptions } from 'ioredis';
import { messageOf } from '../../shared/errors/message-of.js';
import { addressOf, type RedisAddress, type RedisTarget, tlsOf } from './redis-target.js';

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
  const client = await openServer(target, key).catch((error: unknown) => {
    // The error itself may carry a password, so it is no cause.
    throw new Error(reasonFor(target, error));
  });
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

/** Why there is no connection, and what may help. */
function reasonFor({ url, tls }: RedisTarget, error: unknown): string {
  const message = messageOf(error);
  // Whether the server's word on the missing certificate arrives before the connection is cut is a matter of luck.
  const mayNeedCertificate = url.startsWith('rediss:') && !tls?.certFile && MISSING_CERTIFICATE.test(message);
  return mayNeedCertificate ? `${message} (does Redis ask for a certificate? Set HERALD_REDIS_TLS_CERT_FILE)` : message;
}

const MISSING_CERTIFICATE =
  /certificate required|handshake failure|ECONNRESET|EPIPE|socket hang up|Connection is closed/;

async function openServer(target: RedisTarget, key: string): Promise<Redis> {
  const tls = await tlsOf(target);
  const options = { ...optionsOf(target), ...(tls && { tls }) };
  if (target.isCluster) return openOwner({ ...options, ...addressOf(target) }, key);
  if (target.sentinels.length === 0) return open({ ...options, ...addressOf(target) });
  return expectMaster(await open({ ...options, ...(await findMaster(target, tls)) }));
}

/** Sentinels that have not noticed yet name the server that was the master before. */
async function expectMaster(client: Redis): Promise<Redis> {
  // A user who may not ask for it is refused the first write where this is no master.
  const info = await client.info('replication').catch(() => '');
  if (!/^role:slave/m.test(info)) return client;
  client.disconnect();
  throw new Error('the Sentinels name a server that is not the master any more');
}

function optionsOf({ url }: RedisTarget): RedisOptions {
  const { username, password, pathname } = new URL(url);
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    db: Number(pathname.slice(1) || 0),
    connectionName: 'herald',
  };
}

/** The same for servers and Sentinels. */
const COMMON: RedisOptions = {
  lazyConnect: true,
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

async function open(options: RedisOptions): Promise<Redis> {
  const client: Redis = new Redis({ ...COMMON, ...options, protocol: 2, replyMapping: 'legacy' });
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

/**
 * Asks one Sentinel after the other for the master's address. `ioredis` could do that too, but does not say why a Sentinel
 * did not answer.
 * @throws when none knows it, with the last one's reason.
 */
async function findMaster(target: RedisTarget, tls: ConnectionOptions | undefined): Promise<RedisAddress> {
  let trouble = '';
  for (const sentinel of target.sentinels) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the next one is asked only where this one does not answer
      return await askSentinel(sentinel, target, tls);
    } catch (error) {
      trouble = messageOf(error);
    }
  }
  throw new Error(`no Sentinel knows the master's address (${trouble})`);
}

async function askSentinel(
  address: RedisAddress,
  { sentinelName, sentinelLogin }: RedisTarget,
  tls: ConnectionOptions | undefined,
): Promise<RedisAddress> {
  // A Sentinel's user need not be allowed more than the one question.
  const client = await open({ ...address, ...sentinelLogin, ...(tls && { tls }), enableReadyCheck: false });
  try {
    const answer: unknown = await client.call('SENTINEL', 'get-master-addr-by-name', sentinelName);
    if (!Array.isArray(answer)) throw new Error('HERALD_REDIS_SENTINEL_NAME is not the name of a master there');
    return { host: String(answer[0]), port: Number(answer[1]) };
  } finally {
    client.disconnect();
  }
}

/** Asks the node that `options` name which one has the key's slot, and connects to that. */
async function openOwner(options: RedisOptions, key: string): Promise<Redis> {
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
