/** A topic that updates in the log have. */
export interface HeldTopic {
  readonly topic: string;
  /** How many of the updates that are held have it. */
  readonly count: number;
  /** The position of the newest of them. */
  readonly newest: number;
}

/** Which topics to list. */
export interface TopicQuery {
  /**
   * What `prefix` is compared with: the topic's own text, or the address by which URL Patterns match it. By address a
   * list may also have topics with another address, and a topic twice: whoever asks matches them anyway.
   */
  readonly by: 'text' | 'address';
  readonly prefix: string;
  /** At most so many. */
  readonly limit: number;
  /** Where the list goes on: what the part before gave as `next`. */
  readonly from?: string | undefined;
}

/** A part of a list of topics. */
export interface TopicPage {
  /** In an order that does not change, and in which those with the same beginning lie together. */
  readonly topics: readonly HeldTopic[];
  /** Where the list goes on; undefined at its end. */
  readonly next: string | undefined;
}

/**
 * Finds held updates by their topics, for what the answer costs and not for what the log holds. Private updates are found
 * as well: who may read them is decided when they are read.
 */
export interface TopicLookup {
  /** Every held update from this position on can be found. */
  readonly from: number;
  /** The positions after `after` of the updates that have the topic, in order, at most `limit` of them. */
  positionsAfter(topic: string, after: number, limit: number): readonly number[];
  /** The positions before `before`, the newest first, at most `limit` of them. */
  positionsBefore(topic: string, before: number, limit: number): readonly number[];
  topics(query: TopicQuery): TopicPage;
}

/** Tells the addresses of topics (protocol rule R25). */
export interface TopicAddresses {
  /** What relative topics are relative to: with another base they have other addresses. */
  readonly base: string;
  /** The topic's address; undefined when it is no URL, and so matches no URL Pattern (R26). */
  of(topic: string): string | undefined;
}

/** For logs in which nobody looks for addresses. */
export const NO_ADDRESSES: TopicAddresses = { base: '', of: () => undefined };
