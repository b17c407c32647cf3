import { HubError } from '../../access/hub.errors.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';
import { type Matcher, MATCHER_TYPES, readMatcher } from '../matching/matcher.js';
import type { ActiveSubscription, Dialect, Selection, SubscriptionsFormat } from './dialect.js';
import type { FormPair } from './form.js';
import { subscriptionPath } from './subscription-path.js';

const MATCHER_PARAMETERS: ReadonlyMap<string, 'exact' | 'urlpattern'> = new Map([
  ['match', 'exact'],
  ['match_exact', 'exact'],
  ['match_urlpattern', 'urlpattern'],
]);

const subscriptions: SubscriptionsFormat = {
  mediaType: 'application/json',
  eventType: 'mercure',
  covers: (type) => type !== 'uritemplate',
  topicOf: (hubPath, { matcher, subscriber }) => subscriptionPath(hubPath, [matcher.type, matcher.pattern, subscriber]),
  documentOf,
  collectionOf: (path, documents) => ({ id: path, type: 'subscriptions', subscriptions: documents }),
  answerOf: (document) => document,
  select,
};

/** The protocol as it is now (draft-dunglas-mercure-08). */
export const CURRENT_DIALECT: Dialect = {
  isSpokenWith: (parameters) => parameters.some(isMatcherLike),
  matchersOf,
  limitOf: (type) => (type === 'exact' ? HUB_LIMITS.exactTopics : HUB_LIMITS.patterns),
  lastEventIdHeader: 'mercure-last-event-id',
  hasNotices: true,
  subscriptions,
};

/** R12: a mistyped matcher must not silently subscribe to less than was meant. */
function isMatcherLike(parameter: string): boolean {
  return parameter.slice(0, 5).toLowerCase() === 'match';
}

function* matchersOf(parameters: readonly FormPair[]): Iterable<Matcher> {
  for (const [name, pattern] of parameters) {
    const type = matcherTypeOf(name);
    if (type !== undefined) yield readMatcher(type, pattern);
  }
}

/** The type that a parameter's name stands for, or nothing for a parameter that is no matcher. */
function matcherTypeOf(name: string): 'exact' | 'urlpattern' | undefined {
  const type = MATCHER_PARAMETERS.get(name);
  if (type !== undefined) return type;
  if (name === 'topic') {
    throw new HubError('matcher-unknown', 'There is no "topic" parameter here: use "match" or "match_urlpattern".');
  }
  if (isMatcherLike(name)) {
    throw new HubError(
      'matcher-unknown',
      'A parameter that starts with "match" must be "match", "match_exact" or "match_urlpattern".',
    );
  }
  return undefined;
}

function documentOf(hubPath: string, subscription: ActiveSubscription): object {
  const { matcher, subscriber, isActive, payload } = subscription;
  return {
    id: subscriptions.topicOf(hubPath, subscription),
    type: 'subscription',
    match_type: matcher.type,
    match: matcher.pattern,
    subscriber,
    active: isActive,
    ...(payload && { payload }),
  };
}

/** The subscriptions of a path: all, those with one matcher, or one subscriber's with one matcher (R77). */
function select(parts: readonly string[]): Selection | undefined {
  const [type, pattern, subscriber] = parts;
  if (type === undefined) return {};
  if (pattern === undefined) return undefined;
  const known = MATCHER_TYPES.find((candidate) => candidate === type);
  if (known === undefined) {
    throw new HubError('matcher-unknown', `The matcher types are: ${MATCHER_TYPES.join(', ')}.`);
  }
  return { matchers: [{ type: known, pattern }], ...(subscriber !== undefined && { subscriber }) };
}
