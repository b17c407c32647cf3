import { HUB_LIMITS } from '../limits/hub.limits.js';
import type { Matcher } from '../matching/matcher.js';
import type { ActiveSubscription, Dialect, Selection, SubscriptionsFormat } from '../protocol/dialect.js';
import type { FormPair } from '../protocol/form.js';
import { subscriptionPath } from '../protocol/subscription-path.js';
import { LEGACY_TOKENS } from './legacy-tokens.js';
import { matcherOfSelector } from './selector.js';

const CONTEXT = 'https://mercure.rocks/';

const subscriptions: SubscriptionsFormat = {
  mediaType: 'application/ld+json',
  eventType: undefined,
  covers: (type) => type !== 'urlpattern',
  topicOf: (hubPath, { matcher, subscriber }) => subscriptionPath(hubPath, [matcher.pattern, subscriber]),
  documentOf,
  collectionOf: (path, documents) => ({
    '@context': CONTEXT,
    id: path,
    type: 'Subscriptions',
    subscriptions: documents,
  }),
  answerOf: (document, lastEventId) => ({ ...document, lastEventID: lastEventId }),
  select,
};

/** The protocol as most deployed clients speak it: 0.x (draft-dunglas-mercure-07). */
export const LEGACY_DIALECT: Dialect = {
  isSpokenWith: (parameters) => parameters.includes('topic'),
  matchersOf,
  limitOf: () => HUB_LIMITS.selectors,
  lastEventIdHeader: 'last-event-id',
  // Clients of 0.x expect no events without an update.
  hasNotices: false,
  subscriptions,
  tokens: LEGACY_TOKENS,
};

/** The only parameter for matchers is `topic`, whether it holds a topic or a URI Template. */
function* matchersOf(parameters: readonly FormPair[]): Iterable<Matcher> {
  for (const [name, selector] of parameters) if (name === 'topic') yield matcherOfSelector(selector);
}

/** JSON-LD (draft-dunglas-mercure-07, section 7.1). */
function documentOf(hubPath: string, subscription: ActiveSubscription): object {
  const { matcher, subscriber, isActive, payload } = subscription;
  return {
    '@context': CONTEXT,
    id: subscriptions.topicOf(hubPath, subscription),
    type: 'Subscription',
    topic: matcher.pattern,
    subscriber,
    active: isActive,
    ...(payload && { payload }),
  };
}

/**
 * The subscriptions of a path: all, those to one topic, or one subscriber's to one topic. A text that is a URI Template
 * may have been subscribed to as a topic as well, by a client of the current protocol.
 */
function select([topic, subscriber, ...rest]: readonly string[]): Selection | undefined {
  if (rest.length > 0) return undefined;
  if (topic === undefined) return {};
  const matchers = (['exact', 'uritemplate'] as const).map((type) => ({ type, pattern: topic }));
  return { matchers, ...(subscriber !== undefined && { subscriber }) };
}
