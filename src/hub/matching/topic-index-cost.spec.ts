import { describe, expect, it } from '@jest/globals';
import type { Matcher } from './matcher.js';
import { TopicIndex } from './topic-index.js';

const HUB = new URL('https://hub.example/.well-known/mercure');

const exact = (pattern: string): Matcher => ({ type: 'exact', pattern });
const urlPattern = (pattern: string): Matcher => ({ type: 'urlpattern', pattern });

function sorted(values: Iterable<number>): number[] {
  return [...values].toSorted((left, right) => left - right);
}

describe('what a look-up costs', () => {
  it('does not depend on how many other topics have readers', () => {
    const index = new TopicIndex<number>(HUB);
    for (let user = 0; user < 2000; user += 1) {
      index.add(exact(`https://example.com/users/${user}`), user);
      index.add(urlPattern(`https://example.com/users/${user}/*.json`), user);
    }
    expect([...index.match(['https://example.com/users/77/inbox.json'])]).toEqual([77]);
    // Only the pattern of user 77 has a prefix that the topic starts with; those of users 7 and 770 are not evaluated.
    expect(index.evaluations).toBe(1);
    index.match(['https://example.com/users/77']);
    index.match(['chat']);
    expect(index.evaluations).toBe(1);
  });

  it('is nothing for patterns of an origin and a path, whose segments are looked up', () => {
    const index = new TopicIndex<number>(HUB);
    for (let id = 0; id < 500; id += 1) index.add(urlPattern(`https://example.com/:user/:page/${id}`), id);
    expect([...index.match(['https://example.com/ann/inbox/77'])]).toEqual([77]);
    expect([index.evaluations, index.patternBytes]).toEqual([0, 0]);
  });

  it('is not paid again to tell which of many topics each value is interested in', () => {
    const index = new TopicIndex<number>(HUB);
    for (let id = 0; id < 50; id += 1) index.add(urlPattern(`/t:n/${id}`), id);
    index.add(exact('*'), 50);
    const topics = Array.from({ length: 100 }, (_, n) => `/t${n}/${n % 60}`);
    const found = index.match(topics);
    const { evaluations } = index;
    const search = index.assignInSteps(topics);
    let steps = 0;
    for (;;) {
      const { done, value } = search.next();
      if (!done) {
        steps += 1;
        continue;
      }
      expect([7, 49, 50, 51].map((id) => value(id).length)).toEqual([2, 1, 100, 0]);
      break;
    }
    expect(sorted(found).map((id) => index.assign(topics)(id).length > 0)).not.toContain(false);
    expect([steps, index.evaluations]).toEqual([topics.length, evaluations]);
  });

  it('leaves nothing behind of patterns of which several mean the same, when they come and go', () => {
    const index = new TopicIndex<number>(HUB);
    for (const pattern of ['/a/:x', '/a/:y']) index.add(urlPattern(pattern), 1);
    index.remove(urlPattern('/a/:x'), 1);
    expect(sorted(index.match(['/a/b']))).toEqual([1]);
    index.remove(urlPattern('/a/:y'), 1);
    expect(sorted(index.match(['/a/b']))).toEqual([]);
  });

  it('is paid once for a topic: patterns that come later are evaluated alone, others not again', () => {
    const index = new TopicIndex<number>(HUB);
    for (let id = 0; id < 100; id += 1) index.add(urlPattern(`/books/b:id/${id}`), id);
    index.match(['/books/b1/5']);
    expect(index.evaluations).toBe(100);
    index.match(['/books/b1/5']);
    expect(index.evaluations).toBe(100);
    index.add(urlPattern('/books/b:id/:page'), 100);
    index.remove(urlPattern('/books/b:id/6'), 6);
    expect(sorted(index.match(['/books/b1/5']))).toEqual([5, 100]);
    expect(index.evaluations).toBe(101);
    index.add(urlPattern('/books/b:id/:page'), 101);
    index.remove(urlPattern('/books/b:id/5'), 5);
    expect(sorted(index.match(['/books/b1/5']))).toEqual([100, 101]);
    expect(index.evaluations).toBe(101);
  });

  it('is paid again by a topic that was pushed out of the cache', () => {
    const index = new TopicIndex<number>(HUB, { cachedTopics: 2 });
    index.add(urlPattern('/*?'), 1);
    for (const topic of ['/a', '/b', '/a', '/c', '/a']) index.match([topic]);
    expect(index.evaluations).toBe(3);
    index.match(['/b']);
    expect(index.evaluations).toBe(4);
  });

  it('is paid each time when a topic is larger than the cache', () => {
    const index = new TopicIndex<number>(HUB, { cachedBytes: 1000 });
    index.add(urlPattern('/*?'), 1);
    const long = `/${'a'.repeat(1000)}`;
    expect([index.match([long]).size, index.match([long]).size, index.evaluations]).toEqual([1, 1, 2]);
  });

  it('does not grow with patterns that have come and gone, nor does what they take', () => {
    const index = new TopicIndex<number>(HUB);
    index.add(urlPattern('/books/b*'), -1);
    const { patternBytes } = index;
    for (let id = 0; id < 1000; id += 1) {
      index.add(urlPattern(`/books/b:id/${id}`), id);
      expect(index.patternBytes).toBeGreaterThan(patternBytes);
      index.remove(urlPattern(`/books/b:id/${id}`), id);
    }
    index.match(['/books/b1']);
    expect([index.evaluations, index.patternBytes]).toEqual([1, patternBytes]);
  });

  it('is paid in steps of one evaluation each, between which patterns may come and go', () => {
    const index = new TopicIndex<number>(HUB);
    for (let id = 0; id < 10; id += 1) index.add(urlPattern(`/books/b:id/${id}`), id);
    const search = index.search(['/books/b1/9', '/books/b1/3']);
    for (let step = 0; step < 5; step += 1) search.next();
    expect(index.evaluations).toBe(5);
    index.remove(urlPattern('/books/b:id/9'), 9);
    index.add(urlPattern('/books/b:id/3'), 33);
    let step = search.next();
    while (!step.done) step = search.next();
    expect(sorted(step.value)).toEqual([3, 33]);
  });
});
