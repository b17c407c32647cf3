import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { messageOf } from '../../shared/errors/message-of.js';

/** Where Redis is, and how this process shows who it is. */
export interface RedisTarget {
  /** `redis://` or `rediss://`, with user, password and database number where they are needed. */
  readonly url: string;
  /** The Sentinels that are asked for the master's address. If there are any, the URL's own address does not count. */
  readonly sentinels: readonly RedisAddress[];
  /** The master's name among the Sentinels. */
  readonly sentinelName: string;
  /** What the Sentinels ask for. Default: nothing. */
  readonly sentinelLogin?: RedisLogin | undefined;
  /** Whether the URL is that of any node of a Redis Cluster. */
  readonly isCluster: boolean;
  /** Used with every server and Sentinel where the URL is `rediss://`. Default: what Node trusts, and no certificate. */
  readonly tls?: RedisTlsFiles | undefined;
}

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

export interface RedisLogin {
  readonly username?: string | undefined;
  readonly password: string;
}

/** PEM files, which are read for each connection, so that renewed ones are taken. */
export interface RedisTlsFiles {
  /** This process's own certificate and its key. */
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  /** The authorities that the servers' certificates must come from, in place of those that Node trusts. */
  readonly caFile?: string | undefined;
}

/** The address that the URL itself names. */
export function addressOf({ url }: RedisTarget): RedisAddress {
  const { hostname, port } = new URL(url);
  return { host: hostname.replaceAll(/^\[|\]$/g, ''), port: Number(port || 6379) };
}

/**
 * How to speak TLS; undefined for a plain connection.
 * @throws when a file can't be read.
 */
export async function tlsOf({ url, tls = {} }: RedisTarget): Promise<ConnectionOptions | undefined> {
  if (!url.startsWith('rediss:')) return undefined;
  const [cert, key, ca] = await Promise.all([tls.certFile, tls.keyFile, tls.caFile].map(read));
  return { ...(cert && { cert }), ...(key && { key }), ...(ca && { ca }) };
}

async function read(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`a file of HERALD_REDIS_TLS_… can't be read (${messageOf(error)})`, { cause: error });
  }
}
