import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../config.js';
import { memoryLimits } from './memory-limits.js';

const MB = 1024 ** 2;

/** A system that has these files and no others. */
function system(files: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    const text = files[path];
    if (text === undefined) throw new Error('ENOENT');
    return text;
  };
}

describe('the limits on memory', () => {
  it.each([
    ['of a group of version 2', '0::/herald\n', { '/sys/fs/cgroup/herald/memory.max': `${400 * MB}\n` }],
    ['beyond which a group is held back', '0::/', { '/sys/fs/cgroup/memory.high': `${400 * MB}\n` }],
    [
      'of a group around it, where its own is unlimited',
      '0::/pod/herald\n',
      { '/sys/fs/cgroup/pod/herald/memory.max': 'max\n', '/sys/fs/cgroup/pod/memory.max': `${400 * MB}\n` },
    ],
    [
      'that are the least of several',
      '0::/pod/herald\n',
      {
        '/sys/fs/cgroup/pod/herald/memory.max': `${900 * MB}`,
        '/sys/fs/cgroup/pod/herald/memory.high': `${400 * MB}`,
        '/sys/fs/cgroup/pod/memory.max': `${500 * MB}`,
      },
    ],
    [
      'of a group of version 1, beside version 2 without memory',
      '4:cpu,memory:/herald\n1:cpu:/\n0::/\n',
      {
        '/sys/fs/cgroup/memory/herald/memory.limit_in_bytes': `${400 * MB}\n`,
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      },
    ],
    [
      'of a container that sees its own group at the root',
      '9:memory:/docker/abc\n',
      { '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${400 * MB}` },
    ],
    [
      'of a container whose group is outside of what it sees',
      '0::/../other\n',
      { '/sys/fs/cgroup/memory.max': `${400 * MB}` },
    ],
  ])('are those %s', (_, groups, files) => {
    const limits = memoryLimits(system({ '/proc/self/cgroup': groups, ...files }));
    expect(limits).toEqual({ heap: getHeapStatistics().heap_size_limit, process: 400 * MB });
  });

  it.each([
    ['no groups', {}],
    ['no limit', { '/proc/self/cgroup': '0::/a', '/sys/fs/cgroup/a/memory.max': 'max' }],
    [
      'a limit that nothing reaches',
      { '/proc/self/cgroup': '3:memory:/', '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712' },
    ],
  ])("are the machine's own where there is %s", (_, files) => {
    expect(memoryLimits(system(files)).process).toBe(totalmem());
  });
});

/** What a configuration gives to the updates, comings and goings, the recent log and the index, in megabytes. */
function partsOf(env: Readonly<Record<string, string>>, heap: number, process = Infinity) {
  const { hub, memory } = loadConfig(env, undefined, { heap: heap * MB, process: process * MB });
  const { retention, presenceRetention, redis } = hub.journal;
  const bytes = [retention.bytes, presenceRetention.bytes, hub.recentBytes, redis.indexBytes];
  return { parts: bytes.map((one) => one / MB), warnings: memory.warnings };
}

describe('what is held in memory', () => {
  const REDIS = { HERALD_JOURNAL: 'redis://127.0.0.1' };
  const LMDB = { HERALD_JOURNAL: 'lmdb:/tmp/herald' };

  it.each([
    ['is as usual where there is enough', {}, 4_096, 24_000, [256, 16, 64, 256]],
    ['is a share of a small heap', {}, 128, 24_000, [32, 2, 8, 256]],
    ['is a share of half of what the process may take', {}, 4_096, 256, [32, 2, 8, 256]],
    ['is the index, with Redis, and not what Redis keeps', REDIS, 128, 24_000, [256, 16, 8, 32]],
    ['is the recent log alone, with LMDB', LMDB, 128, 24_000, [256, 16, 8, 256]],
  ])('%s', (_, env, heap, process, parts) => {
    expect(partsOf(env, heap, process)).toEqual({ parts, warnings: [] });
  });

  it('is what the operator has asked for, as far as that fits, and the log says what does not', () => {
    const env = { HERALD_RETAIN_BYTES: '40mb', HERALD_RECENT_BYTES: '12mb', HERALD_PRESENCE_RETAIN_BYTES: '1mb' };
    expect(partsOf(env, 128)).toEqual({ parts: [40, 1, 12, 256], warnings: [] });
    const { parts, warnings } = partsOf({ ...env, HERALD_RETAIN_BYTES: '1gb', HERALD_RECENT_BYTES: '17mb' }, 128);
    expect(parts).toEqual([48, 1, 16, 256]);
    expect(warnings).toEqual([
      expect.stringMatching(/^HERALD_RECENT_BYTES asks for 17 MB, and memory has room for 16 MB.*--max-old-space-size/),
      expect.stringMatching(/^HERALD_RETAIN_BYTES asks for 1024 MB, and memory has room for 48 MB/),
    ]);
    expect(partsOf({ ...LMDB, HERALD_RETAIN_BYTES: '100gb' }, 128).warnings).toEqual([]);
  });
});
