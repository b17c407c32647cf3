/** Limits on what clients may send. Internal bounds, which no client can notice, stand beside the code they bound. */
export const HUB_LIMITS = {
  /** Topics of an update. What is above a limit of publishing gets 413 (R38). */
  topics: 1_000,
  /** Bytes of a topic in UTF-8. */
  topicBytes: 4_096,
  /** Characters of an update's id. */
  idLength: 255,
  /** Characters of an update's type. */
  typeLength: 255,
  /** Longer times overflow the timers of several clients, which then reconnect in a hot loop. */
  retryMilliseconds: 3_600_000,
  /** Room for every topic that an update may have, every other field, and some that the hub doesn't know (R36). */
  publishPairs: 1_200,
  /**
   * What may be under way of a batch: lines, and about how many bytes. Nothing more is read until some are answered. Nor
   * is it while the client has not taken so many bytes of answers: simple clients send all of their body before they
   * read anything, and this has room for the answers to some ten thousand lines.
   */
  batch: { lines: 1_000, bytes: 1024 * 1024, answers: 1024 * 1024 },
  /** Exact topics of a subscription, each of which costs a look-up. What is above a limit of it gets 400 (R15). */
  exactTopics: { count: 1_000, bytes: 128 * 1024 },
  /** Patterns of a subscription. */
  patterns: { count: 100, bytes: 16 * 1024 },
  /** Topics and URI Templates of a subscription of the 0.x dialect, together. */
  selectors: { count: 1_000, bytes: 128 * 1024 },
  /**
   * What the patterns of a subscription may cost together, in instructions of compiled programs: see `regexpCost`. Most
   * patterns need none; one for UUIDs needs about 110.
   */
  patternCost: 4_000,
  /** Bytes of a matcher in UTF-8. */
  matcherBytes: 4_096,
  /** Room for every matcher, some of them twice, and for parameters that the hub doesn't know. */
  subscribePairs: 1_200,
  /** Bytes of a subscription's form in the body of a `QUERY`. */
  subscribeBytes: 256 * 1024,
  /** How many of the newest updates a subscription may begin with. */
  last: 1_000,
  /** Entries that are searched for the `last` updates, so that no reader can make the hub search the whole log. */
  lastLookedThrough: 10_000,
  /**
   * What a subscription may begin with by `begin=latest`: topics, the updates of each that are looked at for one that may
   * be read, and the entries that are read through where the topics are too many to be looked up one by one.
   */
  latest: { topics: 1_000, perTopic: 16, lookedThrough: 20_000 },
  /** Offers in a second that a subscription may ask for (`max_rate`). */
  maxRate: { least: 0.1, most: 20 },
  /** Seconds of silence after which a stream may ask for a comment (`heartbeat`). */
  heartbeat: { least: 2, most: 60 },
  /** Topics that one of these offers has at most. More make several, right after each other. */
  offerTopics: 2_048,
  /**
   * What one answer of the history has: updates, about how many bytes, and updates that are looked at for it. Answers are
   * made one after the other, and so many may wait, with so many bytes of what they ask for.
   */
  history: {
    updates: 1_000,
    bytes: 1024 * 1024,
    lookedThrough: 10_000,
    waiting: 1_000,
    waitingBytes: 16 * 1024 ** 2,
  },
  /** Comings of anonymous readers that are told, for each network of addresses: so many at once, and in a second. */
  anonymousComings: { atOnce: 100, perSecond: 10 },
  /** Variables of a URI Template. Matching takes at worst the product of their number and the topic's length. */
  templateVariables: 20,
  /**
   * What the custom groups of one component of a URL Pattern may cost, in instructions of the compiled program.
   * Matching takes at worst the product of this cost and the topic's length, so this limit and that on topics bound the
   * time. A pattern for UUIDs needs about 110.
   */
  regexpCost: 256,
} as const;
