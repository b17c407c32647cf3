import { describe, expect, it } from '@jest/globals';
import { PatternBuckets, type PatternHits, type PatternKind } from './pattern-buckets.js';
import { parseTopicUrl, type TopicUrl } from './topic-url.js';
import { compileUrlPattern } from './url-pattern.js';

const HUB = new URL('https://hub.example/.well-known/mercure');

const KIND: PatternKind<TopicUrl> = {
  compile: (pattern) => compileUrlPattern(pattern, HUB),
  addressOf: ({ address }) => address,
};

function refresh(
  buckets: PatternBuckets<number, TopicUrl>,
  topic: TopicUrl,
  hits: PatternHits<number, TopicUrl>,
): boolean {
  const steps = buckets.refresh(topic, hits);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

describe('PatternBuckets', () => {
  it('costs a look-up for each distinct length of a literal prefix, and none once they are gone', () => {
    const buckets = new PatternBuckets<number, TopicUrl>(KIND);
    const patterns = ['/a/*', '/b/*', '/b/:id/x', '/abc/*', `/${'a'.repeat(1000)}/*`, `/${'b'.repeat(2000)}/*`];
    for (const pattern of patterns) buckets.add(pattern, 1);
    expect(buckets.lookups).toBe(3);
    for (const pattern of patterns) buckets.remove(pattern, 1);
    expect(buckets.lookups).toBe(0);
    expect(buckets.isEmpty).toBe(true);
  });

  it('forgets, for a topic, what has come and gone', () => {
    const buckets = new PatternBuckets<number, TopicUrl>(KIND);
    const hits: PatternHits<number, TopicUrl> = new Map();
    const topic = parseTopicUrl('/a/b', HUB);
    if (topic === undefined) throw new Error('not a URL');
    buckets.add('/*', 0);
    for (let round = 0; round < 50; round += 1) {
      buckets.add('/a/*', 1);
      buckets.add('/:x/b', 1);
      expect(refresh(buckets, topic, hits)).toBe(true);
      expect([...hits.values()].flatMap(({ nodes }) => nodes)).toHaveLength(3);
      buckets.remove('/a/*', 1);
      buckets.remove('/:x/b', 1);
    }
    expect(refresh(buckets, topic, hits)).toBe(true);
    expect([...hits.values()].flatMap(({ nodes }) => nodes)).toHaveLength(1);
    expect(hits.size).toBe(1);
    expect(refresh(buckets, topic, hits)).toBe(false);
  });
});
