import { createHash } from 'node:crypto';
import { allAtOnce } from '../../shared/background.js';
import type { TopicQuery } from '../../storage/journal/topics/topic-lookup.js';
import { weightOfText } from '../../storage/journal/update.js';
import { type Matcher, matcherKey, WILDCARD } from './matcher.js';
import { compileUriTemplate, type UriTemplate, uriTemplateBytes } from './uri-template.js';
import { parseTopicUrl } from './url-pattern/topic-url.js';
import { compileUrlPattern, type UrlPattern } from './url-pattern/url-pattern.js';

/** Longer keys are replaced by their digest, because a hundred patterns of 4 KiB would make too long a key. */
const LONGEST_KEY = 100;

/** Topics that are remembered with their result. They are few, because there may be an interest for each connection. */
const REMEMBERED = 64;

/** Longer topics are not remembered. */
const LONGEST_REMEMBERED = 256;

/** The patterns of an interest, compiled, and what is known of topics that were looked at. */
interface Patterns {
  readonly urls: readonly UrlPattern[];
  readonly templates: readonly UriTemplate[];
  readonly results: Map<string, boolean>;
}

/** Where topics are found that an interest may match. */
export interface TopicSources {
  /** Topics that it names. */
  readonly exact: ReadonlySet<string>;
  /** What others begin with: their own text, or their address. */
  readonly prefixes: readonly Pick<TopicQuery, 'by' | 'prefix'>[];
}

/** A set of matchers: what a subscription asks for, or what a token grants. */
export class Interest {
  /** The same for all interests with the same matchers. */
  readonly key: string;
  readonly matchers: readonly Matcher[];
  private readonly isEverything: boolean;
  private readonly exact: ReadonlySet<string>;
  private patterns: Patterns | undefined;

  constructor(
    matchers: readonly Matcher[],
    private readonly hubUrl: URL,
  ) {
    const byKey = new Map<string, Matcher>();
    const exact = new Set<string>();
    for (const matcher of matchers) {
      byKey.set(matcherKey(matcher), matcher);
      if (matcher.type === 'exact') exact.add(matcher.pattern);
    }
    this.matchers = [...byKey.values()];
    this.exact = exact;
    this.isEverything = this.matchers.some(({ pattern }) => pattern === WILDCARD);
    const key = [...byKey.keys()].toSorted().join('\n');
    this.key = key.length > LONGEST_KEY ? createHash('sha256').update(key).digest('base64') : key;
  }

  /** Whether there are patterns, which may take long to match: see {@link search}. */
  get hasPatterns(): boolean {
    return !this.isEverything && this.exact.size < this.matchers.length;
  }

  /**
   * Whether there are patterns that are not found by the topic's own text, and have to be evaluated: see `TopicIndex`.
   * With the wildcard among the matchers none needs to be.
   */
  get needsEvaluation(): boolean {
    return this.hasPatterns && this.matchers.some((matcher) => needsEvaluation(matcher, this.hubUrl));
  }

  /** About how many bytes it may come to take: its texts, its patterns once they are compiled, and their results. */
  get weight(): number {
    let weight = 1_024;
    for (const { type, pattern } of this.matchers) {
      weight += 2 * weightOfText(pattern);
      if (type === 'urlpattern' && pattern !== WILDCARD) weight += compileUrlPattern(pattern, this.hubUrl).bytes;
      if (type === 'uritemplate') weight += uriTemplateBytes(pattern);
    }
    return this.hasPatterns ? weight + REMEMBERED * (LONGEST_REMEMBERED + 100) : weight;
  }

  /** Compiles its patterns, in a step each, so that whoever asks first does not have to wait for all of them. */
  *prepare(): Generator<void, this> {
    if (this.hasPatterns) this.patterns ??= yield* this.compileInSteps();
    return this;
  }

  /** Whether a matcher matches at least one of the topics. */
  includes(topics: readonly string[]): boolean {
    if (this.isEverything || topics.some((topic) => this.exact.has(topic))) return true;
    if (!this.hasPatterns) return false;
    return allAtOnce(this.search(topics));
  }

  /** The same in steps of one pattern each, for work that gives way to other work in between. */
  *search(topics: readonly string[]): Generator<void, boolean> {
    if (this.isEverything || topics.some((topic) => this.exact.has(topic))) return true;
    if (!this.hasPatterns) return false;
    const patterns = (this.patterns ??= this.compile());
    for (const topic of topics) {
      const isMatched = patterns.results.get(topic) ?? (yield* this.searchPatterns(topic, patterns));
      remember(patterns.results, topic, isMatched);
      if (isMatched) return true;
    }
    return false;
  }

  /** Whether the topic itself was asked for, not only a pattern that it matches. */
  names(topic: string): boolean {
    return this.exact.has(topic);
  }

  /** Whether a topic that begins with `path`, relative to the hub's URL, may be matched. */
  mayMatchBelow(path: string): boolean {
    let address: string | undefined;
    return this.matchers.some(({ type, pattern }) => {
      if (pattern === WILDCARD) return true;
      if (type === 'exact') return pattern.startsWith(path);
      if (type === 'uritemplate') return haveCommon(compileUriTemplate(pattern).literalPrefix, path);
      address ??= new URL(path, this.hubUrl).href;
      return haveCommon(compileUrlPattern(pattern, this.hubUrl).literalPrefix, address);
    });
  }

  /** Where the topics are found that it may match; undefined where it matches every topic. */
  get sources(): TopicSources | undefined {
    if (this.isEverything) return undefined;
    const { urls, templates } = (this.patterns ??= this.compile());
    const prefixes = [
      ...urls.map(({ literalPrefix: prefix }) => ({ by: 'address' as const, prefix })),
      ...templates.map(({ literalPrefix: prefix }) => ({ by: 'text' as const, prefix })),
    ];
    return { exact: this.exact, prefixes };
  }

  /** Whether every one of the topics is matched. */
  includesAll(topics: readonly string[]): boolean {
    return this.isEverything || topics.every((topic) => this.includes([topic]));
  }

  private *searchPatterns(topic: string, { urls, templates }: Patterns): Generator<void, boolean> {
    const url = urls.length > 0 ? parseTopicUrl(topic, this.hubUrl) : undefined;
    for (const pattern of url ? urls : []) {
      if (!url?.address.startsWith(pattern.literalPrefix)) continue;
      if (pattern.matches(url)) return true;
      yield;
    }
    for (const template of templates) {
      if (!topic.startsWith(template.literalPrefix)) continue;
      if (template.matches(topic)) return true;
      yield;
    }
    return false;
  }

  /** Done when first needed, because most interests never need it: live delivery goes by the index of `FanOut`. */
  private compile(): Patterns {
    return allAtOnce(this.compileInSteps());
  }

  private *compileInSteps(): Generator<void, Patterns> {
    const urls: UrlPattern[] = [];
    const templates: UriTemplate[] = [];
    for (const { type, pattern } of this.matchers) {
      if (type === 'exact') continue;
      if (type === 'urlpattern') urls.push(compileUrlPattern(pattern, this.hubUrl));
      else templates.push(compileUriTemplate(pattern));
      yield;
    }
    return { urls, templates, results: new Map() };
  }
}

/** Whether a text may begin with both. */
function haveCommon(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
}

function needsEvaluation({ type, pattern }: Matcher, hubUrl: URL): boolean {
  if (type === 'exact') return false;
  return type === 'uritemplate' || compileUrlPattern(pattern, hubUrl).route === undefined;
}

/** Keeps a result in place of the oldest one. */
function remember(results: Map<string, boolean>, topic: string, isMatched: boolean): void {
  if (topic.length > LONGEST_REMEMBERED || results.has(topic)) return;
  const [oldest] = results.size >= REMEMBERED ? results.keys() : [];
  if (oldest !== undefined) results.delete(oldest);
  results.set(topic, isMatched);
}
