import { version as nodeVersion } from 'node:process';
import type { Logger } from 'pino';
import type { Config } from '../../config/config.js';
import type { JournalConfig } from '../../config/journal-variables.js';
import { VERSION } from '../../shared/version.js';
import { defaultOutstanding } from '../../streams/registry/outstanding-bytes.js';

/**
 * Logs what starts here and by what it goes, so that whoever reads the log later need not ask. No key, no password and no
 * query is part of it.
 * @param config as it is in effect.
 */
export function tellStart(logger: Logger, config: Config): void {
  logger.info({ msg: `Herald ${VERSION} starts`, version: VERSION, settings: settingsOf(config) });
}

function settingsOf(config: Config): object {
  const { server, auth, production, requestLog } = config;
  return {
    node: nodeVersion,
    production,
    journal: placeOf(config.hub.journal),
    issuers: auth.issuers.map(({ issuer }) => issuer),
    asksApplication: auth.authorizeUrl !== undefined,
    tls: server.tls !== undefined,
    basePath: server.basePath,
    requestLog,
    limits: limitsOf(config),
  };
}

/** Where updates are kept, without the user and the password of a Redis. */
function placeOf({ url, redis }: JournalConfig): object {
  const kind = url.slice(0, url.indexOf(':'));
  if (kind === 'memory') return { kind };
  if (kind === 'lmdb') return { kind, path: url.slice('lmdb:'.length) };
  const { host, pathname } = new URL(url);
  const { prefix, sentinels, isCluster } = redis;
  const database = pathname.slice(1) || '0';
  // Where there are Sentinels, they tell the address.
  const address = sentinels.length > 0 ? { sentinels: sentinels.map((one) => `${one.host}:${one.port}`) } : { host };
  return { kind, ...address, database, prefix, ...(isCluster && { cluster: true }) };
}

/** Durations are in milliseconds, sizes in bytes; 0 is no limit, and what is missing has none either. */
function limitsOf({ server, streams, hub, memory }: Config): object {
  const { maxOutstanding = defaultOutstanding() } = streams;
  return {
    sockets: server.maxSockets,
    streams: streams.maxConnections,
    streamsPerAddress: streams.maxConnectionsPerAddress,
    streamsPerSubject: streams.maxConnectionsPerSubject,
    streamAge: streams.maxAge,
    outstanding: maxOutstanding,
    recent: hub.recentBytes,
    retention: hub.journal.retention,
    presenceRetention: hub.journal.presenceRetention,
    index: hub.journal.redis.indexBytes,
    heap: memory.heap,
    memory: memory.process,
    body: server.maxBodyBytes,
    head: server.maxHeadBytes,
  };
}
