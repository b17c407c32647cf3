import { describe, expect, it } from '@jest/globals';
import { MessageLog } from './message-log.js';
import { arrange, Growth, keepOrder, topicsOf } from './topic-facts.js';

const facts = (topic: string, count: number, rate?: number, last?: number) => ({ topic, count, rate, last });

const names = (topics: readonly { readonly topic: string }[]): string[] => topics.map(({ topic }) => topic);

describe('what is known of topics', () => {
  it('is told from a log: how many, how many a second lately, and when the last one came', () => {
    let now = 0;
    const log = new MessageLog(() => now);
    const add = (topic: string, at: number, isReplayed = false): void => {
      now = at;
      log.add({ id: undefined, topic, type: 'message', text: '', isReplayed, latency: undefined });
    };
    add('a', 1_000);
    add('a', 12_000);
    add('b', 13_000, true);
    log.mark({ mark: 'lost' });
    add('a', 14_000);
    expect(topicsOf(log.entries, 15_000)).toEqual([facts('a', 3, 0.2, 14_000), facts('b', 1, 0, 13_000)]);
  });

  it('has rates by how counts grow, over some ten seconds', () => {
    const growth = new Growth();
    const note = (at: number, count: number) => growth.note([{ topic: 'a', count }], at).get('a');
    expect(note(0, 100)).toBeUndefined();
    expect(note(5_000, 110)).toBe(2);
    expect(note(10_000, 110)).toBe(1);
    expect(note(16_000, 110)).toBeCloseTo(10 / 16);
    expect(note(20_000, 110)).toBe(0);
    // The hub has trimmed some.
    expect(note(21_000, 50)).toBe(0);
    growth.clear();
    expect(note(22_000, 50)).toBeUndefined();
  });

  it('counts a topic that was not there before from nothing', () => {
    const growth = new Growth();
    growth.note([], 0);
    expect(growth.note([{ topic: 'new', count: 4 }], 2_000).get('new')).toBe(2);
  });

  it('is sorted by each column, found by a part of the name, and stays in its place if asked', () => {
    const topics = [facts('b', 1, 3, 30), facts('a', 1, undefined, 10), facts('C', 2, 0, 20)];
    expect(names(arrange(topics, '', { column: 'topic', isDescending: false }))).toEqual(['C', 'a', 'b']);
    expect(names(arrange(topics, '', { column: 'count', isDescending: true }))).toEqual(['C', 'a', 'b']);
    expect(names(arrange(topics, '', { column: 'rate', isDescending: true }))).toEqual(['b', 'C', 'a']);
    expect(names(arrange(topics, '', { column: 'last', isDescending: false }))).toEqual(['a', 'C', 'b']);
    expect(names(arrange(topics, 'c', { column: 'last', isDescending: true }))).toEqual(['C']);
    expect(names(keepOrder(topics, ['C', 'gone', 'b']))).toEqual(['C', 'b', 'a']);
  });
});
