import { createHash } from 'node:crypto';
import { type Matcher, matcherKey, WILDCARD } from './matcher.js';
import { TopicIndex } from './topic-index.js';

/** Longer keys are replaced by their digest, because a hundred patterns of 4 KiB would make too long a key. */
const LONGEST_KEY = 100;

/** Limits of an interest's pattern index. They are low, because there may be an interest for each connection. */
const CACHE = { cachedTopics: 100, cachedBytes: 64 * 1024 };

/** A set of matchers: what a subscription asks for, or what a token grants. */
export class Interest {
  /** The same for all interests with the same matchers. */
  readonly key: string;
  readonly matchers: readonly Matcher[];
  private readonly isEverything: boolean;
  private readonly exact: ReadonlySet<string>;
  private patterns: TopicIndex<true> | undefined;

  constructor(
    matchers: readonly Matcher[],
    private readonly hubUrl: URL,
  ) {
    const byKey = new Map(matchers.map((matcher) => [matcherKey(matcher), matcher]));
    this.matchers = [...byKey.values()];
    this.exact = new Set(this.matchers.filter(({ type }) => type === 'exact').map(({ pattern }) => pattern));
    this.isEverything = this.matchers.some(({ pattern }) => pattern === WILDCARD);
    const key = [...byKey.keys()].toSorted().join('\n');
    this.key = key.length > LONGEST_KEY ? createHash('sha256').update(key).digest('base64') : key;
  }

  /** Whether a matcher matches at least one of the topics. */
  includes(topics: readonly string[]): boolean {
    if (this.isEverything || topics.some((topic) => this.exact.has(topic))) return true;
    return this.exact.size < this.matchers.length && this.patternIndex().match(topics).size > 0;
  }

  /** Whether the topic itself was asked for, not only a pattern that it matches. */
  names(topic: string): boolean {
    return this.exact.has(topic);
  }

  /** Whether every one of the topics is matched. */
  includesAll(topics: readonly string[]): boolean {
    return topics.every((topic) => this.includes([topic]));
  }

  /** Made when first needed, because most interests never need it: live delivery goes by the index of `FanOut`. */
  private patternIndex(): TopicIndex<true> {
    if (!this.patterns) {
      this.patterns = new TopicIndex<true>(this.hubUrl, CACHE);
      for (const matcher of this.matchers) {
        if (matcher.type !== 'exact') this.patterns.add(matcher, true);
      }
    }
    return this.patterns;
  }
}
