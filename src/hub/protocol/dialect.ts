import type { Claims } from '../../access/caller.js';
import type { Grants } from '../../access/grants.js';
import type { Matcher, MatcherType } from '../matching/matcher.js';
import type { FormPair } from './form.js';

/**
 * What differs between the protocol as it is now (draft-dunglas-mercure-08) and as clients of 0.x speak it. Nothing else
 * in the hub knows which of them it serves.
 */
export interface Dialect {
  /** Whether a request with parameters of these names speaks it. */
  readonly isSpokenWith: (parameters: readonly string[]) => boolean;
  /**
   * The matchers that these parameters ask for; the others are ignored.
   * @throws HubError with the code of the first rule that is broken
   */
  readonly matchersOf: (parameters: readonly FormPair[], hubUrl: URL) => Iterable<Matcher>;
  /** The header of an answer that says where its stream begins. */
  readonly lastEventIdHeader: string;
  /** Whether a stream says where it is when it has no event to say it by. */
  readonly hasCursors: boolean;
  readonly subscriptions: SubscriptionsFormat;
  /** Tokens other than those of RFC 9068, where it has any. */
  readonly tokens?: DialectTokens;
}

/** One active subscription: somebody and one matcher of theirs. */
export interface ActiveSubscription {
  readonly matcher: Matcher;
  /** Names the subscriber, and is nothing that the client could choose (R74). */
  readonly subscriber: string;
  readonly isActive: boolean;
  readonly payload: object | undefined;
}

/** How a dialect says who is subscribed (R73–R80). */
export interface SubscriptionsFormat {
  readonly mediaType: 'application/json' | 'application/ld+json';
  /** The type of the events that tell of subscriptions, and of the link to the hub; undefined for none. */
  readonly eventType: string | undefined;
  /** Whether it has words for subscriptions with matchers of this type. */
  readonly covers: (type: MatcherType) => boolean;
  /** The topic at which a subscription is told of, and its path in the API (R73). */
  readonly topicOf: (hubPath: string, subscription: ActiveSubscription) => string;
  /** What is told of a subscription (R75). */
  readonly documentOf: (hubPath: string, subscription: ActiveSubscription) => object;
  readonly collectionOf: (path: string, documents: readonly object[]) => object;
  /** A document as it is answered, which may say up to which event it is true. */
  readonly answerOf: (document: object, lastEventId: string) => object;
  /**
   * Which subscriptions the parts of a path below `/subscriptions` ask for, if any.
   * @throws HubError `matcher-unknown`
   */
  readonly select: (parts: readonly string[]) => Selection | undefined;
}

/** Some of the subscriptions. */
export interface Selection {
  /** Whose subscription, where only one is asked for. */
  readonly subscriber?: string;
  readonly includes: (matcher: Matcher) => boolean;
}

/** Tokens as a dialect has them. */
export interface DialectTokens {
  /** The parameter of the query that may bring one. */
  readonly parameter: string;
  /** The cookie that may bring one, besides the one that is configured. */
  readonly cookie: string;
  /** Whether these are the claims of such a token, not yet verified. */
  readonly hasClaims: (claims: Claims) => boolean;
  /**
   * What the verified claims allow.
   * @throws HubError `token-invalid` when they are malformed
   */
  readonly grantsOf: (claims: Claims, hubUrl: URL) => Grants;
}
