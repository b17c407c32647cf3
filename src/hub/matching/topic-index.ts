import { LRUCache } from 'lru-cache';
import { allAtOnce } from '../../shared/background.js';
import { type Matcher, type MatcherType, WILDCARD } from './matcher.js';
import { PathTrie, type Route } from './url-pattern/path-trie.js';
import { PatternBuckets, type PatternHits } from './url-pattern/pattern-buckets.js';
import { parseTopicUrl, type TopicUrl } from './url-pattern/topic-url.js';
import { compileUriTemplate } from './uri-template.js';
import { compileUrlPattern } from './url-pattern/url-pattern.js';

/** What the cache of pattern results may hold at most: the least recently published topics leave first. */
export interface TopicIndexLimits {
  /** Default: 10,000. */
  readonly cachedTopics: number;
  /** Approximate. Default: 16 MiB. */
  readonly cachedBytes: number;
}

const DEFAULT_LIMITS: TopicIndexLimits = { cachedTopics: 10_000, cachedBytes: 16 * 1024 * 1024 };

/** Those of some topics that a value is interested in, in their order. */
export type Assigned<T> = (value: T) => readonly string[];

/** What is known about a topic that has been published to. */
interface KnownTopic<T> {
  /** Nothing when the topic is no URL. */
  readonly url: TopicUrl | undefined;
  readonly hits: PatternHits<T, TopicUrl>;
  readonly templateHits: PatternHits<T, string>;
}

/**
 * Who is interested in a topic: values (such as cohorts) under matchers. Each pair of a matcher and a value is there
 * once, however often it's added.
 *
 * Exact matchers are found by hash, and URL Patterns of an origin and a path segment by segment (`PathTrie`): what these
 * cost is what the topic's own readers cost, however many others there are. All other patterns have to be evaluated
 * (`PatternBuckets`): those that begin with the same literal text as the topic, once for each topic that stays in the
 * cache, and in steps, so that who looks up can give way in between.
 */
export class TopicIndex<T> {
  private readonly exact = new Map<string, Set<T>>();
  /** The values under the wildcard, by their matcher's type: removing those of one type must leave the others. */
  private readonly everything: Readonly<Record<MatcherType, Set<T>>> = {
    exact: new Set(),
    urlpattern: new Set(),
    uritemplate: new Set(),
  };
  /** The values of each pattern that has a route. Patterns with the same route have a set each. */
  private readonly paths = new PathTrie<Set<T>>();
  /** These patterns by their text, so that none is compiled again when somebody leaves. */
  private readonly routed = new Map<string, { readonly route: Route; readonly values: Set<T> }>();
  private readonly patterns: PatternBuckets<T, TopicUrl>;
  private readonly templates: PatternBuckets<T, string>;
  private readonly known: LRUCache<string, KnownTopic<T>>;
  private readonly nobody: ReadonlySet<T> = new Set();

  constructor(
    private readonly hubUrl: URL,
    limits: Partial<TopicIndexLimits> = {},
  ) {
    const { cachedTopics, cachedBytes } = { ...DEFAULT_LIMITS, ...limits };
    this.patterns = new PatternBuckets({
      compile: (pattern) => compileUrlPattern(pattern, hubUrl),
      addressOf: ({ address }) => address,
    });
    this.templates = new PatternBuckets({
      compile: compileUriTemplate,
      addressOf: (topic) => topic,
    });
    this.known = new LRUCache({ max: cachedTopics, maxSize: cachedBytes, sizeCalculation: sizeOf });
  }

  /** How many times a pattern has been evaluated against a topic so far: what matching has cost. */
  get evaluations(): number {
    return this.patterns.evaluations + this.templates.evaluations;
  }

  /** About how many bytes the patterns take that have to be evaluated. */
  get patternBytes(): number {
    return this.patterns.bytes + this.templates.bytes;
  }

  /** @throws HubError `matcher-invalid` for a URL Pattern that `parseMatcher` would refuse */
  add(matcher: Matcher, value: T): void {
    const { type, pattern } = matcher;
    if (pattern === WILDCARD) {
      this.everything[type].add(value);
    } else if (type === 'urlpattern') {
      const { route } = this.routed.get(pattern) ?? compileUrlPattern(pattern, this.hubUrl);
      if (route) this.addRouted(pattern, route, value);
      else this.patterns.add(pattern, value);
    } else if (type === 'uritemplate') {
      this.templates.add(pattern, value);
    } else {
      const values = this.exact.get(pattern);
      if (values === undefined) this.exact.set(pattern, new Set([value]));
      else values.add(value);
    }
  }

  /** Does nothing when `value` is not there under `matcher`. */
  remove(matcher: Matcher, value: T): void {
    const { type, pattern } = matcher;
    if (pattern === WILDCARD) {
      this.everything[type].delete(value);
    } else if (type === 'urlpattern') {
      if (this.routed.has(pattern)) this.removeRouted(pattern, value);
      else this.patterns.remove(pattern, value);
    } else if (type === 'uritemplate') {
      this.templates.remove(pattern, value);
    } else {
      const values = this.exact.get(pattern);
      values?.delete(value);
      if (values?.size === 0) this.exact.delete(pattern);
    }
  }

  private addRouted(pattern: string, route: Route, value: T): void {
    const known = this.routed.get(pattern);
    const values = known?.values ?? new Set<T>();
    values.add(value);
    if (known) return;
    this.routed.set(pattern, { route, values });
    this.paths.add(route, values);
  }

  private removeRouted(pattern: string, value: T): void {
    const known = this.routed.get(pattern);
    known?.values.delete(value);
    if (known?.values.size !== 0) return;
    this.routed.delete(pattern);
    this.paths.remove(known.route, known.values);
  }

  /** The values with a matcher that at least one of `topics` satisfies (R2, R14), each once. The set may change with the index. */
  match(topics: readonly string[]): ReadonlySet<T> {
    if (!this.hasEvaluated) return this.lookUp(topics);
    return allAtOnce(this.search(topics));
  }

  /** What needs no evaluation. A function of its own, because steps would cost each publication more than it does. */
  private lookUp(topics: readonly string[]): ReadonlySet<T> {
    const [first = ''] = topics;
    if (topics.length === 1 && this.isExact) return this.exact.get(first) ?? this.nobody;
    const found = this.everybody();
    for (const topic of topics) {
      addAll(found, this.exact.get(topic));
      if (!this.paths.isEmpty) this.collectPaths(this.knownOf(topic), found);
    }
    return found;
  }

  /** The same in steps of one evaluated pattern each. Matchers may be added and removed between the steps. */
  *search(topics: readonly string[]): Generator<void, Set<T>> {
    const found = this.everybody();
    for (const topic of topics) {
      addAll(found, this.exact.get(topic));
      yield* this.searchPatterns(topic, found);
    }
    return found;
  }

  /**
   * Tells for each value which of the topics it is interested in. The topics are looked up one by one when that is first
   * asked, and not again for each value.
   */
  assign(topics: readonly string[]): Assigned<T> {
    if (topics.length === 1) return () => topics;
    let found: readonly ReadonlySet<T>[] | undefined;
    return (value) => {
      const each = (found ??= topics.map((topic) => this.match([topic])));
      return topics.filter((_, index) => each[index]?.has(value));
    };
  }

  /** The same in steps of one evaluated pattern each, or of one topic. */
  *assignInSteps(topics: readonly string[]): Generator<void, Assigned<T>> {
    if (topics.length === 1) return () => topics;
    const each: Set<T>[] = [];
    for (const topic of topics) {
      each.push(yield* this.search([topic]));
      yield;
    }
    return (value) => topics.filter((_, index) => each[index]?.has(value));
  }

  private everybody(): Set<T> {
    const found = new Set(this.everything.exact);
    addAll(found, this.everything.urlpattern);
    addAll(found, this.everything.uritemplate);
    return found;
  }

  /** Whether all matchers are topics. */
  private get isExact(): boolean {
    const { exact, urlpattern, uritemplate } = this.everything;
    return this.paths.isEmpty && exact.size + urlpattern.size + uritemplate.size === 0;
  }

  private get hasEvaluated(): boolean {
    return !this.patterns.isEmpty || !this.templates.isEmpty;
  }

  private *searchPatterns(topic: string, found: Set<T>): Generator<void, void> {
    const entry = this.knownOf(topic);
    const hasChanged = entry.url !== undefined && (yield* this.patterns.refresh(entry.url, entry.hits));
    const hasOthers = !this.templates.isEmpty && (yield* this.templates.refresh(topic, entry.templateHits));
    // The cache measures an entry's size only when the entry is set.
    if (hasChanged || hasOthers) this.known.set(topic, entry);
    this.collectPaths(entry, found);
    addHits(found, entry.hits);
    addHits(found, entry.templateHits);
  }

  private knownOf(topic: string): KnownTopic<T> {
    const cached = this.known.get(topic);
    if (cached) return cached;
    const entry = { url: parseTopicUrl(topic, this.hubUrl), hits: new Map(), templateHits: new Map() };
    this.known.set(topic, entry);
    return entry;
  }

  private collectPaths({ url }: KnownTopic<T>, found: Set<T>): void {
    if (!url) return;
    for (const values of this.paths.collect(url)) addAll(found, values);
  }
}

function addHits<T, Topic>(found: Set<T>, hits: PatternHits<T, Topic>): void {
  for (const { nodes } of hits.values()) {
    for (const { values } of nodes) addAll(found, values);
  }
}

function addAll<T>(found: Set<T>, values: ReadonlySet<T> | undefined): void {
  if (values === undefined) return;
  for (const value of values) found.add(value);
}

/** About what an entry takes: its topic and the components of its URL, and the references to patterns. */
function sizeOf<T>({ hits, templateHits }: KnownTopic<T>, topic: string): number {
  return 400 + 4 * topic.length + sizeOfHits(hits) + sizeOfHits(templateHits);
}

function sizeOfHits<T, Topic>(hits: PatternHits<T, Topic>): number {
  let size = 0;
  for (const { nodes } of hits.values()) size += 100 + 8 * nodes.length;
  return size;
}
