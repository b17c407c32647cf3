import type { Matcher } from '../matching/matcher.js';

/** One active subscription: somebody and one matcher of theirs. */
export interface ActiveSubscription {
  readonly matcher: Matcher;
  /** Names the subscriber, and is nothing that the client could choose (R74). */
  readonly subscriber: string;
  readonly isActive: boolean;
  readonly payload: object | undefined;
}

const LEGACY_CONTEXT = 'https://mercure.rocks/';

/** The topic at which a subscription is told of, and its path in the API (R73). */
export function subscriptionTopic(hubPath: string, { matcher, subscriber }: ActiveSubscription): string {
  return [hubPath, 'subscriptions', ...[matcher.type, matcher.pattern, subscriber].map(encodeOnce)].join('/');
}

/** The same in the 0.x dialect. */
export function legacySubscriptionTopic(hubPath: string, { matcher, subscriber }: ActiveSubscription): string {
  return [hubPath, 'subscriptions', ...[matcher.pattern, subscriber].map(encodeOnce)].join('/');
}

/** What is told of a subscription (R75). */
export function subscriptionDocument(hubPath: string, subscription: ActiveSubscription): object {
  const { matcher, subscriber, isActive, payload } = subscription;
  return {
    id: subscriptionTopic(hubPath, subscription),
    type: 'subscription',
    match_type: matcher.type,
    match: matcher.pattern,
    subscriber,
    active: isActive,
    ...(payload && { payload }),
  };
}

/** The same in the 0.x dialect: JSON-LD (draft-dunglas-mercure-07, section 7.1). */
export function legacySubscriptionDocument(hubPath: string, subscription: ActiveSubscription): object {
  const { matcher, subscriber, isActive, payload } = subscription;
  return {
    '@context': LEGACY_CONTEXT,
    id: legacySubscriptionTopic(hubPath, subscription),
    type: 'Subscription',
    topic: matcher.pattern,
    subscriber,
    active: isActive,
    ...(payload && { payload }),
  };
}

/** RFC 6570, simple expansion: everything but unreserved characters is percent-encoded, once. */
function encodeOnce(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
