import { Interest } from '../matching/interest.js';
import { type Matcher, parseMatcher, WILDCARD } from '../matching/matcher.js';

/** What is looked at, and what is told at most: a hint and no search. */
const MATCHERS = 50;
const TOPICS = 10;
const TOLD = 3;

/** Why a matcher just misses a topic. */
export type Miss = 'trailing-slash' | 'case' | 'encoding' | 'scheme' | 'relative' | 'pattern-as-topic';

export interface NearMiss {
  readonly matcher: Matcher;
  readonly topic: string;
  readonly differs: Miss;
}

type Variant = readonly [differs: Exclude<Miss, 'pattern-as-topic'>, topic: string];

/** The matchers that would match a topic if it were written a little differently, in steps of one attempt each. */
export function* nearMissesOf(
  matchers: readonly Matcher[],
  topics: readonly string[],
  hubUrl: URL,
): Generator<void, NearMiss[]> {
  const found: NearMiss[] = [];
  for (const matcher of matchers.slice(0, MATCHERS)) {
    for (const topic of topics.slice(0, TOPICS)) {
      const differs = yield* missOf(matcher, topic, hubUrl);
      if (differs) found.push({ matcher, topic, differs });
      if (found.length === TOLD) return found;
    }
  }
  return found;
}

function* missOf(matcher: Matcher, topic: string, hubUrl: URL): Generator<void, Miss | undefined> {
  const interest = new Interest([matcher], hubUrl);
  for (const [differs, variant] of variantsOf(topic, hubUrl)) {
    if (variant !== topic && (yield* interest.search([variant]))) return differs;
    yield;
  }
  if (matcher.type !== 'exact') return undefined;
  if (isSameBut(matcher.pattern, topic, (text) => text.toLowerCase())) return 'case';
  if (isSameBut(matcher.pattern, topic, decoded)) return 'encoding';
  const asPattern = patternOf(matcher, hubUrl);
  return asPattern && (yield* asPattern.search([topic])) ? 'pattern-as-topic' : undefined;
}

function variantsOf(topic: string, hubUrl: URL): Variant[] {
  const slash = topic.endsWith('/') ? topic.slice(0, -1) : `${topic}/`;
  const scheme = topic.startsWith('https:') ? topic.replace('https:', 'http:') : topic.replace(/^http:/, 'https:');
  return [
    ['trailing-slash', slash],
    ['scheme', scheme],
    ['relative', relativeOf(topic, hubUrl)],
    ['encoding', decoded(topic)],
    ['case', topic.toLowerCase()],
  ];
}

/** A path of this hub as an address, and such an address as a path: exact topics are compared as they are written. */
function relativeOf(topic: string, hubUrl: URL): string {
  if (topic.startsWith('/')) return URL.canParse(topic, hubUrl.href) ? new URL(topic, hubUrl).href : topic;
  return topic.startsWith(`${hubUrl.origin}/`) ? topic.slice(hubUrl.origin.length) : topic;
}

function decoded(text: string): string {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}

function isSameBut(one: string, other: string, change: (text: string) => string): boolean {
  return change(one) === change(other);
}

/** What was given for a topic and looks like a pattern. */
function patternOf({ pattern }: Matcher, hubUrl: URL): Interest | undefined {
  if (pattern === WILDCARD || !/\/:|[*{(]/.test(pattern)) return undefined;
  try {
    return new Interest([parseMatcher('urlpattern', pattern, hubUrl)], hubUrl);
  } catch {
    return undefined;
  }
}
