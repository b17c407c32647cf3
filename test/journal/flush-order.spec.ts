import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import { Publisher, startHub } from '../support/hub.js';
import { describeWith, strace } from '../support/programs.js';
import { type SystemCall, Trace } from '../support/trace.js';

const CALLS = ['pwrite64', 'pwritev', 'fdatasync', 'fsync', 'msync', 'write', 'writev', 'sendto', 'sendmsg'];

/** Descriptors whose writes come back only once they are on the disk (`O_DSYNC`; `O_SYNC` includes it). */
function synchronous(herald: Herald): Set<string> {
  const O_DSYNC = 0o10000;
  const directory = `/proc/${herald.pid}`;
  const fds = readdirSync(`${directory}/fd`).filter((fd) => {
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`${directory}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
    return readlinkSync(`${directory}/fd/${fd}`).endsWith('data.mdb') && (Number.parseInt(flags, 8) & O_DSYNC) !== 0;
  });
  return new Set(fds);
}

/**
 * The calls as one letter each: `d` data is written to the file, `s` the file is flushed, `m` the page that makes it
 * valid is written and flushed in one, `a` a publisher is answered.
 */
function letters(calls: readonly SystemCall[], flushing: ReadonlySet<string>): string {
  return calls.map((call) => letterOf(call, flushing)).join('');
}

function letterOf({ phase, name, args, result }: SystemCall, flushing: ReadonlySet<string>): string {
  const fd = args.split('<', 1)[0] ?? '';
  // What is flushed counts when it is done; an answer counts as soon as it begins.
  if (phase === 'begun') return args.includes('HTTP/1.1 200') ? 'a' : '';
  if (/^\d+<[^>]*data\.mdb>/.test(args)) {
    if (result.startsWith('-1')) return '!';
    if (name.includes('sync')) return 's';
    return flushing.has(fd) ? 'm' : 'd';
  }
  return '';
}

describeWith(strace, 'the order of flush and answer', (program) => {
  async function traced(publish: (publisher: Publisher) => Promise<unknown>): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'herald-flush-'));
    try {
      await using herald = await startHub({ HERALD_JOURNAL: `lmdb:${directory}` });
      using publisher = await Publisher.of(herald);
      await publisher.publish({ topic: 'a', data: 'the first one opens the connection' });
      const flushing = synchronous(herald);
      expect(flushing.size).toBeGreaterThan(0);
      await using trace = await Trace.attach(program, herald.pid, CALLS);
      await publish(publisher);
      return letters(await trace.stop(), flushing);
    } finally {
      await rm(directory, { recursive: true });
    }
  }

  it('is: the data, the flush, the page that makes it valid, and only then the answer', async () => {
    const order = await traced(async (publisher) => {
      for (let count = 0; count < 20; count += 1) await publisher.publish({ topic: 'a', data: `${count}` });
    });
    expect(order).toMatch(/^(?:d+sma){20}$/);
  }, 60_000);

  it('is one flush for many publishers that come together, and no answer before it', async () => {
    const order = await traced((publisher) =>
      Promise.all(Array.from({ length: 320 }, (_, index) => publisher.publish({ topic: 'a', data: `${index}` }))),
    );
    expect(order.replaceAll(/[^a]/g, '')).toHaveLength(320);
    expect(order.replaceAll(/[^s]/g, '').length).toBeLessThanOrEqual(320 / 4);
    expect(order).toMatch(/^d+sm/);
  }, 60_000);
});
