import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Matcher } from '../matching/matcher.js';
import { CURRENT_DIALECT } from './current-dialect.js';
import type { ActiveSubscription } from './dialect.js';

const { topicOf, documentOf } = CURRENT_DIALECT.subscriptions;

const PATH = '/.well-known/mercure';

function active(matcher: Matcher, payload?: object): ActiveSubscription {
  return { matcher, subscriber: 'urn:uuid:1', isActive: true, payload };
}

describe('the topic of a subscription', () => {
  it('R73: has each part percent-encoded exactly once', () => {
    const subscription = active({ type: 'urlpattern', pattern: "https://example.com/:id/(a|b)*?x=%20'é!" });
    expect(topicOf(PATH, subscription)).toBe(
      `${PATH}/subscriptions/urlpattern/https%3A%2F%2Fexample.com%2F%3Aid%2F%28a%7Cb%29%2A%3Fx%3D%2520%27%C3%A9%21/urn%3Auuid%3A1`,
    );
  });

  it('R73: gives the parts back when it is split and decoded once, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (pattern) => {
        const topic = topicOf(PATH, active({ type: 'exact', pattern }));
        expect(topic).toMatch(/^[A-Za-z0-9\-._~%/]*$/);
        const parts = topic.slice(PATH.length).split('/').map(decodeURIComponent);
        expect(parts).toEqual(['', 'subscriptions', 'exact', pattern, 'urn:uuid:1']);
      }),
    );
  });
});

describe('what is told of a subscription', () => {
  it('R75: has all that the protocol asks for, and the payload where there is one', () => {
    const subscription = active({ type: 'exact', pattern: 'a b' }, { name: 'Ann' });
    expect(documentOf(PATH, subscription)).toEqual({
      id: `${PATH}/subscriptions/exact/a%20b/urn%3Auuid%3A1`,
      type: 'subscription',
      match_type: 'exact',
      match: 'a b',
      subscriber: 'urn:uuid:1',
      active: true,
      payload: { name: 'Ann' },
    });
    expect(documentOf(PATH, active({ type: 'exact', pattern: 'a' }))).not.toHaveProperty('payload');
  });
});
