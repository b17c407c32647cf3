import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { HUB_ERRORS } from './access/hub.errors.js';
import { defaultConfig } from './config/config.js';
import { NO_MEMORY_LIMITS } from './config/memory/memory-limits.js';
import { COMPILED_BYTES } from './hub/matching/compiled-patterns.js';
import { HUB_LIMITS } from './hub/limits/hub.limits.js';
import { FULL, LATE } from './streams/registry/pressure.js';

const DOCUMENT = readFileSync(new URL('../docs/security.md', import.meta.url), 'utf8');

const { server, hub, streams } = defaultConfig('memory:', NO_MEMORY_LIMITS);

/** The defaults of the variables in the table, where they are numbers. */
const VARIABLES: Readonly<Record<string, number | undefined>> = {
  HERALD_MAX_HEAD: server.maxHeadBytes,
  HERALD_MAX_BODY: server.maxBodyBytes,
  HERALD_BODY_TIMEOUT: hub.bodies.timeout,
  HERALD_MAX_BODIES: hub.bodies.maxBytes,
  HERALD_BATCH_IDLE: hub.batches.idle,
  HERALD_PUBLISH_RATE: hub.quota.each.updates,
  HERALD_PUBLISH_BYTES: hub.quota.each.bytes,
  HERALD_PUBLISH_RATE_ALL: hub.quota.all.updates,
  HERALD_PUBLISH_BYTES_ALL: hub.quota.all.bytes,
  HERALD_MAX_CONNECTIONS: streams.maxConnections,
  HERALD_MAX_CONNECTIONS_PER_ADDRESS: streams.maxConnectionsPerAddress,
  HERALD_MAX_CONNECTIONS_PER_SUBJECT: streams.maxConnectionsPerSubject,
  HERALD_WRITE_TIMEOUT: streams.writeTimeout,
  HERALD_MAX_OUTSTANDING: streams.maxOutstanding,
  HERALD_RETAIN_EVENTS: hub.journal.retention.events,
  HERALD_RETAIN_BYTES: hub.journal.retention.bytes,
  HERALD_PRESENCE_RETAIN_EVENTS: hub.journal.presenceRetention.events,
  HERALD_PRESENCE_RETAIN_BYTES: hub.journal.presenceRetention.bytes,
  HERALD_RECENT_BYTES: hub.recentBytes,
  HERALD_INDEX_BYTES: hub.journal.redis.indexBytes,
  COMPILED_BYTES,
  LATE,
  FULL,
};

interface Row {
  readonly name: string;
  readonly value: string;
  readonly answer: string;
}

/** The rows of the table of bounds. */
function rows(): Row[] {
  return [...DOCUMENT.matchAll(/^\|[^|]+\| `([\w.]+)` +\| ([^|]+?) +\| ([^|]+?) +\|$/gm)].map(
    ([, name = '', value = '', answer = '']) => ({ name, value, answer }),
  );
}

/** The limits as the table names them: `topics`, `patterns.count`. */
function limits(): Map<string, number> {
  const all = Object.entries(HUB_LIMITS).flatMap(([name, limit]) =>
    typeof limit === 'number'
      ? [[name, limit] as const]
      : Object.entries(limit).map(([part, value]) => [`${name}.${part}`, value] as const),
  );
  return new Map(all);
}

describe('the table of bounds in docs/security.md', () => {
  it('has every limit on what clients may send, but the one that only keeps clients from a mistake', () => {
    const named = new Set(rows().map(({ name }) => name));
    expect([...limits().keys()].filter((name) => !named.has(name))).toEqual(['retryMilliseconds']);
  });

  it.each(rows())('says what $name is', ({ name, value }) => {
    const actual = name in VARIABLES ? VARIABLES[name] : limits().get(name);
    const written = /^\d+(?:\.\d+)?(?=[ ,]|$)/.exec(value)?.[0];
    expect(name in VARIABLES || limits().has(name)).toBe(true);
    expect(written && !value.includes('MB') ? Number(written) : undefined).toBe(actual);
  });

  it.each(rows().filter(({ answer }) => /^\d{3}/.test(answer)))('says how $name is answered', ({ answer }) => {
    const [, status, code = ''] = /^(\d{3}) `([\w-]+)`/.exec(answer) ?? [];
    const errors: Readonly<Record<string, { status: number }>> = HUB_ERRORS;
    expect([code, errors[code]?.status]).toEqual([code, Number(status)]);
  });
});
