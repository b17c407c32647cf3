import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { URLPattern } from 'urlpattern-polyfill/urlpattern';
import { type Matcher, matcherKey } from './matcher.js';
import { TopicIndex } from './topic-index.js';
import { compileUriTemplate } from './uri-template.js';

const HUB = new URL('https://hub.example/.well-known/mercure');

const exact = (pattern: string): Matcher => ({ type: 'exact', pattern });
const urlPattern = (pattern: string): Matcher => ({ type: 'urlpattern', pattern });
const uriTemplate = (pattern: string): Matcher => ({ type: 'uritemplate', pattern });

function sorted(values: Iterable<number>): number[] {
  return [...values].toSorted((left, right) => left - right);
}

describe('TopicIndex', () => {
  it('R14: finds the values whose matcher is satisfied', () => {
    const index = new TopicIndex<string>(HUB);
    index.add(exact('https://example.com/a'), 'exact');
    index.add(urlPattern('https://example.com/:id'), 'pattern');
    index.add(urlPattern('/a'), 'relative');
    index.add(exact('*'), 'everything');
    index.add(urlPattern('*'), 'everything as a pattern');
    expect([...index.match(['https://example.com/a'])].toSorted()).toEqual([
      'everything',
      'everything as a pattern',
      'exact',
      'pattern',
    ]);
    expect([...index.match(['not a URL://'])].toSorted()).toEqual(['everything', 'everything as a pattern']);
  });

  it('R24: compares exact topics byte for byte', () => {
    const index = new TopicIndex<string>(HUB);
    index.add(exact('https://example.com/é'), 'value');
    expect(index.match(['https://example.com/%C3%A9']).size).toBe(0);
    expect(index.match(['https://EXAMPLE.com/é']).size).toBe(0);
    expect(index.match(['https://example.com/e\u0301']).size).toBe(0);
    expect(index.match(['https://example.com/é']).size).toBe(1);
  });

  it('R2: finds a value once, whichever of the topics match, and through however many matchers', () => {
    const index = new TopicIndex<string>(HUB);
    index.add(exact('/a'), 'value');
    index.add(exact('/b'), 'value');
    index.add(urlPattern('/*'), 'value');
    index.add(exact('*'), 'value');
    expect([...index.match(['/a', '/b', '/c'])]).toEqual(['value']);
  });

  it('lets each pair of a matcher and a value be there once', () => {
    const index = new TopicIndex<string>(HUB);
    for (const matcher of [exact('/a'), urlPattern('/:a'), exact('*')]) {
      index.add(matcher, 'value');
      index.add(matcher, 'value');
      expect(index.match(['/a']).size).toBe(1);
      index.remove(matcher, 'value');
      index.remove(matcher, 'value');
      expect(index.match(['/a']).size).toBe(0);
    }
  });

  it('keeps a wildcard when the same value loses the one of the other type', () => {
    const index = new TopicIndex<string>(HUB);
    index.add(exact('*'), 'value');
    index.add(urlPattern('*'), 'value');
    index.remove(exact('*'), 'value');
    expect(index.match(['/a']).size).toBe(1);
  });

  it('refuses a pattern that is not valid, and stays as it was', () => {
    const index = new TopicIndex<string>(HUB);
    expect(() => index.add(urlPattern('/{'), 'value')).toThrow('malformed');
    expect(index.match(['/{']).size).toBe(0);
  });
});

describe('TopicIndex with selectors of the 0.x dialect', () => {
  it('finds them beside the others, for topics that are no URLs as well, and for their own text', () => {
    const index = new TopicIndex<string>(HUB);
    index.add(uriTemplate('https://example.com/books/{id}'), 'template');
    index.add(uriTemplate('{+anything}!'), 'no prefix');
    index.add(urlPattern('https://example.com/books/:id'), 'pattern');
    index.add(exact('https://example.com/books/{id}'), 'exact');
    const found = (topic: string): string[] => [...index.match([topic])].toSorted();
    expect(found('https://example.com/books/1')).toEqual(['pattern', 'template']);
    expect(found('https://example.com/books/1!')).toEqual(['no prefix', 'pattern']);
    expect(found('https://example.com/books/{id}')).toEqual(['exact', 'pattern', 'template']);
    expect(found('//[no-URL]!')).toEqual(['no prefix']);
    expect(found('HTTPS://example.com/books/1')).toEqual(['pattern']);
  });

  it('takes a template and a pattern with the same text for two', () => {
    const index = new TopicIndex<string>(HUB);
    index.add(uriTemplate('/books/{id}'), 'value');
    index.add(urlPattern('/books/{id}'), 'value');
    index.remove(urlPattern('/books/{id}'), 'value');
    expect(index.match(['/books/1']).size).toBe(1);
    index.remove(uriTemplate('/books/{id}'), 'value');
    expect(index.match(['/books/1']).size).toBe(0);
  });

  it('R23: knows the wildcard under this type as well', () => {
    const index = new TopicIndex<string>(HUB);
    index.add(uriTemplate('*'), 'value');
    expect(index.match(['a']).size).toBe(1);
    index.remove(uriTemplate('*'), 'value');
    expect(index.match(['a']).size).toBe(0);
  });

  it('evaluates each once for a topic, and only those that the topic begins like', () => {
    const index = new TopicIndex<number>(HUB);
    for (let user = 0; user < 200; user += 1) index.add(uriTemplate(`/users/${user}/{+rest}`), user);
    for (let times = 0; times < 3; times += 1) expect([...index.match(['/users/77/inbox'])]).toEqual([77]);
    expect(index.evaluations).toBe(1);
    index.add(uriTemplate('/users/77/{box}'), 1_000);
    expect(sorted(index.match(['/users/77/inbox']))).toEqual([77, 1_000]);
    expect(index.evaluations).toBe(2);
  });

  it('finds what the matchers one by one would find, whatever comes and goes', () => {
    const pattern = fc.constantFrom('a{x}', '{+x}', 'a/{x}/{y}', 'b{?q}', '{x}', 'é{x}');
    const matcher = fc.tuple(fc.constantFrom(exact, uriTemplate), pattern).map(([make, text]) => make(text));
    const act = fc.tuple(fc.constantFrom('add', 'remove'), matcher, fc.integer({ min: 0, max: 2 }));
    const topic = fc.constantFrom('a', 'a1', 'a/b/c', 'b?q=1', 'é1', '%C3%A91', 'a{x}', '', '//[');
    fc.assert(
      fc.property(fc.array(fc.tuple(act, topic), { maxLength: 40 }), (steps) => {
        const index = new TopicIndex<number>(HUB, { cachedTopics: 2 });
        const held = new Map<string, readonly [Matcher, number]>();
        for (const [[what, one, value], text] of steps) {
          index[what](one, value);
          const key = `${value} ${matcherKey(one)}`;
          if (what === 'add') held.set(key, [one, value]);
          else held.delete(key);
          const expected = [...held.values()].filter(([{ type, pattern: given }]) =>
            type === 'exact' ? given === text : compileUriTemplate(given).matches(text),
          );
          expect(sorted(index.match([text]))).toEqual(sorted(new Set(expected.map(([, by]) => by))));
        }
      }),
    );
  });
});

const matchers = fc.oneof(
  fc.constantFrom('/a', '/a/b', '/a/b/c', '*', 'https://', '').map(exact),
  fc
    .constantFrom(
      '*',
      '/*',
      '/a',
      '/a/*',
      '/a/:x',
      '/a/b/:x',
      '/:x/b',
      '/a{/:x}?',
      'http{s}?://hub.example/a/*',
      '/b/*',
      '/:x',
      '/:z',
      'https://hub.example/a/:x',
      '/:x/:y',
      '/:x/*',
      '/a/b/',
      '/a*',
      '/:x/b/:y',
      '/a/:x?',
      'https://:host/a/b',
      'https://hub.example:*/a/:x',
      '/a?q=:x',
    )
    .map(urlPattern),
);
const topicLists = fc.array(
  fc.constantFrom(
    '/a',
    '/a/b',
    '/a/b/',
    '/a//',
    '/',
    '/a/b/c',
    '/b/c',
    '/c',
    '/a?q=1',
    '/a/b#x',
    'https://',
    'http://hub.example/a/b',
  ),
  { minLength: 1, maxLength: 3 },
);
const values = fc.nat({ max: 3 });

/** Each step is a change of the index and then a look-up of some topics. */
const steps = fc.array(
  fc.record({
    change: fc.constantFrom('add' as const, 'remove' as const),
    matcher: matchers,
    value: values,
    topics: topicLists,
  }),
  { maxLength: 80, size: 'max' },
);

/** The reference: compares every topic with every matcher. */
class BruteForce {
  private readonly pairs = new Map<string, readonly [Matcher, number]>();

  add(matcher: Matcher, value: number): void {
    this.pairs.set(`${matcherKey(matcher)} ${value}`, [matcher, value]);
  }

  remove(matcher: Matcher, value: number): void {
    this.pairs.delete(`${matcherKey(matcher)} ${value}`);
  }

  match(topics: readonly string[]): Set<number> {
    const hits = [...this.pairs.values()].filter(([matcher]) => topics.some((topic) => satisfies(topic, matcher)));
    return new Set(hits.map(([, value]) => value));
  }
}

const implementations = new Map<string, URLPattern>();

function satisfies(topic: string, { type, pattern }: Matcher): boolean {
  if (pattern === '*') return true;
  if (type === 'exact') return topic === pattern;
  const implementation = implementations.get(pattern) ?? new URLPattern(pattern, HUB.href);
  implementations.set(pattern, implementation);
  return implementation.test(topic, HUB.href);
}

describe('TopicIndex under change', () => {
  it.each([10_000, 1])('finds what trying everything finds, with a cache of %d topics', (cachedTopics) => {
    let found = 0;
    fc.assert(
      fc.property(steps, (sequence) => {
        const index = new TopicIndex<number>(HUB, { cachedTopics });
        const oracle = new BruteForce();
        for (const { change, matcher, value, topics } of sequence) {
          index[change](matcher, value);
          oracle[change](matcher, value);
          const expected = sorted(oracle.match(topics));
          found += expected.length;
          expect([topics, sorted(index.match(topics))]).toEqual([topics, expected]);
        }
      }),
      { numRuns: 150 },
    );
    expect(found).toBeGreaterThan(300);
  });
});
