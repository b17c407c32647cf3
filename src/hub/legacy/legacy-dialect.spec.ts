import { expect, it } from '@jest/globals';
import { LEGACY_DIALECT } from './legacy-dialect.js';

const PATH = '/.well-known/mercure';
const WHO = { subscriber: 'urn:uuid:1', payload: undefined };

const { topicOf, documentOf } = LEGACY_DIALECT.subscriptions;

it('R73: has the selector in the topic of a subscription, percent-encoded exactly once', () => {
  const subscription = { ...WHO, matcher: { type: 'uritemplate', pattern: 'a/{b}' }, isActive: true } as const;
  expect(topicOf(PATH, subscription)).toBe(`${PATH}/subscriptions/a%2F%7Bb%7D/urn%3Auuid%3A1`);
});

it('tells of a subscription in JSON-LD', () => {
  const subscription = { ...WHO, matcher: { type: 'exact', pattern: 'a' }, isActive: false } as const;
  expect(documentOf(PATH, subscription)).toEqual({
    '@context': 'https://mercure.rocks/',
    id: `${PATH}/subscriptions/a/urn%3Auuid%3A1`,
    type: 'Subscription',
    topic: 'a',
    subscriber: 'urn:uuid:1',
    active: false,
  });
});
