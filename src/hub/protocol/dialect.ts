import type { Claims } from '../../access/caller.js';
import type { Grants } from '../../access/grants.js';
import type { Matcher, MatcherType } from '../matching/matcher.js';
import type { FormPair } from './form.js';

/**
 * What differs between the protocol as it is now (draft-dunglas-mercure-08) and as clients of 0.x speak it. Nothing
 * else in the hub knows which of the two it serves.
 */
export interface Dialect {
  /** Whether a request whose query has parameters with these names is in this dialect. */
  readonly isSpokenWith: (parameters: readonly string[]) => boolean;
  /**
   * The matchers that these parameters ask for, whose patterns are yet to be compiled; other parameters are ignored.
   * @throws HubError with the code of the first rule that is broken
   */
  readonly matchersOf: (parameters: readonly FormPair[]) => Iterable<Matcher>;
  /** How many matchers of this type a subscription may have; types with the same limit count together. */
  readonly limitOf: (type: MatcherType) => MatcherLimit;
  /** The header of an answer that has the id after which its stream begins. */
  readonly lastEventIdHeader: string;
  /** Whether readers get notices where they do not ask for them: some clients would take them for updates. */
  readonly hasNotices: boolean;
  readonly subscriptions: SubscriptionsFormat;
  /** The dialect's own tokens besides those of RFC 9068, if any. */
  readonly tokens?: DialectTokens;
}

export interface MatcherLimit {
  readonly count: number;
  /** Bytes of all of them in UTF-8. */
  readonly bytes: number;
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
  /** The event type of updates about subscriptions, and the `type` of the link to the hub; undefined for none. */
  readonly eventType: string | undefined;
  /** Whether the dialect can describe subscriptions with matchers of this type. */
  readonly covers: (type: MatcherType) => boolean;
  /** The topic of the updates about a subscription, which is its path in the API too (R73). */
  readonly topicOf: (hubPath: string, subscription: ActiveSubscription) => string;
  /** The document that describes a subscription (R75). */
  readonly documentOf: (hubPath: string, subscription: ActiveSubscription) => object;
  readonly collectionOf: (path: string, documents: readonly object[]) => object;
  /** A document as it is answered. A dialect may add the id of the last event that the document takes into account. */
  readonly answerOf: (document: object, lastEventId: string) => object;
  /**
   * Which subscriptions the parts of a path below `/subscriptions` ask for, if any.
   * @throws HubError `matcher-unknown`
   */
  readonly select: (parts: readonly string[]) => Selection | undefined;
}

/** The subscriptions that a request asks for. */
export interface Selection {
  /** The subscriber, where only one subscription is asked for. */
  readonly subscriber?: string;
  /** The matchers of which a subscription must have one; undefined where those with any are asked for. */
  readonly matchers?: readonly Matcher[];
}

/** How a dialect's own tokens are brought, and what they mean. */
export interface DialectTokens {
  /** The parameter of the query that may hold the token. */
  readonly parameter: string;
  /** The cookie that may hold the token, besides the configured one. */
  readonly cookie: string;
  /** Whether these claims, which are not verified yet, have what only such a token has. */
  readonly hasClaim: (claims: Claims) => boolean;
  /** Whether a token with these claims and this `typ`, which are not verified yet, is taken for such a token. */
  readonly isOurs: (claims: Claims, type: string | undefined) => boolean;
  /**
   * What the verified claims allow, in steps.
   * @throws HubError `token-invalid` when they are malformed
   */
  readonly grantsInSteps: (claims: Claims, hubUrl: URL) => Generator<void, Grants>;
}
