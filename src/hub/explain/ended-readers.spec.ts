import { describe, expect, it } from '@jest/globals';
import type { Reader } from '../delivery/reader.js';
import { EndedReaders } from './ended-readers.js';

function reader(serial: number, { subject = '', patterns = ['urn:a'] } = {}): Reader {
  const matchers = patterns.map((pattern) => ({ type: 'exact', pattern }));
  return {
    connection: { serial, openedAt: performance.now(), info: { requestId: 'r', address: '', caller: { subject } } },
    cohort: { interest: { matchers }, isConflated: false, readMatchers: undefined },
    progress: { state: 'over', began: 1, latestUpTo: 0, cursor: 2, head: 3 },
  } as unknown as Reader;
}

describe('EndedReaders', () => {
  it('remembers the last thousand, and why they ended', () => {
    const ended = new EndedReaders();
    for (let serial = 1; serial <= 1_500; serial += 1) ended.note(reader(serial), 'expired');
    expect(ended.latest()).toHaveLength(1_000);
    expect([ended.get(500), ended.get(501)?.reason, ended.latest()[0]?.id]).toEqual([undefined, 'expired', 1_500]);
  });

  it('remembers fewer where their texts are long, and not many matchers of any', () => {
    const ended = new EndedReaders();
    for (let serial = 1; serial <= 1_000; serial += 1)
      ended.note(reader(serial, { subject: 'x'.repeat(10_000) }), 'drain');
    expect(ended.latest().length).toBeLessThan(110);
    ended.note(reader(2_000, { patterns: ['x'.repeat(5_000)] }), 'drain');
    ended.note(reader(2_001, { patterns: Array.from({ length: 101 }, (_, index) => `urn:${index}`) }), 'drain');
    expect([2_000, 2_001].map((id) => ended.get(id))).toMatchObject([
      { matcherCount: 1, matchers: undefined },
      { matcherCount: 101, matchers: undefined },
    ]);
  });

  it('does not count those that were refused', () => {
    const ended = new EndedReaders();
    ended.note(reader(0), 'overloaded');
    expect(ended.latest()).toEqual([]);
  });
});
