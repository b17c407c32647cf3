import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Matcher } from '../matching/matcher.js';
import {
  type ActiveSubscription,
  legacySubscriptionDocument,
  legacySubscriptionTopic,
  subscriptionDocument,
  subscriptionTopic,
} from './subscription-document.js';

const PATH = '/.well-known/mercure';

function active(matcher: Matcher, payload?: object): ActiveSubscription {
  return { matcher, subscriber: 'urn:uuid:1', isActive: true, payload };
}

describe('the topic of a subscription', () => {
  it('R73: has each part percent-encoded exactly once', () => {
    const subscription = active({ type: 'urlpattern', pattern: "https://example.com/:id/(a|b)*?x=%20'é!" });
    expect(subscriptionTopic(PATH, subscription)).toBe(
      `${PATH}/subscriptions/urlpattern/https%3A%2F%2Fexample.com%2F%3Aid%2F%28a%7Cb%29%2A%3Fx%3D%2520%27%C3%A9%21/urn%3Auuid%3A1`,
    );
    expect(legacySubscriptionTopic(PATH, active({ type: 'uritemplate', pattern: 'a/{b}' }))).toBe(
      `${PATH}/subscriptions/a%2F%7Bb%7D/urn%3Auuid%3A1`,
    );
  });

  it('R73: gives the parts back when it is split and decoded once, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (pattern) => {
        const topic = subscriptionTopic(PATH, active({ type: 'exact', pattern }));
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
    expect(subscriptionDocument(PATH, subscription)).toEqual({
      id: `${PATH}/subscriptions/exact/a%20b/urn%3Auuid%3A1`,
      type: 'subscription',
      match_type: 'exact',
      match: 'a b',
      subscriber: 'urn:uuid:1',
      active: true,
      payload: { name: 'Ann' },
    });
    expect(subscriptionDocument(PATH, active({ type: 'exact', pattern: 'a' }))).not.toHaveProperty('payload');
  });

  it('is JSON-LD in the 0.x dialect', () => {
    expect(legacySubscriptionDocument(PATH, { ...active({ type: 'exact', pattern: 'a' }), isActive: false })).toEqual({
      '@context': 'https://mercure.rocks/',
      id: `${PATH}/subscriptions/a/urn%3Auuid%3A1`,
      type: 'Subscription',
      topic: 'a',
      subscriber: 'urn:uuid:1',
      active: false,
    });
  });
});
