/** How much the hub takes from outside. Bounds of a mechanism that nobody outside can see lie beside the mechanism. */
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
  publishPairs: 1_100,
  /** Lines of a batch. */
  batchLines: 10_000,
  /** Matchers of a subscription. What is above a limit of subscribing gets 400 (R15). */
  matchers: 100,
  /** Bytes of a matcher in UTF-8. */
  matcherBytes: 4_096,
  /** Room for every matcher, some of them twice, and for parameters that the hub doesn't know. */
  subscribePairs: 1_000,
  /** How many of the newest updates a subscription may begin with. */
  last: 1_000,
  /** Entries that are looked through for them: a reader that wants few of many can't have the whole log read for it. */
  lastLookedThrough: 10_000,
  /** Variables of a URI Template: its program grows with them, and matching takes their product with the topic. */
  templateVariables: 20,
  /**
   * What the custom groups of one component of a URL Pattern may cost, in instructions of the compiled program. The time to
   * match is at worst their product with the length of the topic, so this, with the limit on topics, bounds it: a pattern
   * for UUIDs needs about 50.
   */
  regexpCost: 256,
} as const;
