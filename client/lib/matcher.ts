/**
 * Names topics by the query parameter that asks the hub for them: `match=` and a topic (`*` is all topics), or
 * `match_urlpattern=` and a URL Pattern. Two matchers ask for the same if and only if they are equal.
 */
export type Matcher = string;

/** A topic, `*` for every topic, or `{ pattern }` for a URL Pattern. */
export type OneMatch<Topic> = Topic | { readonly pattern: Topic };

/** What `subscribe` takes: a topic, `*` for every topic, `{ pattern }` for a URL Pattern, or several of these. */
export type Match<Topic extends string = string> = OneMatch<Topic> | readonly OneMatch<Topic>[];

/** What is needed of the platform's `URLPattern`. */
export type UrlPatternConstructor = new (
  pattern: string,
  base: string,
) => { test(input: string, base: string): boolean };

/** A part of a {@link Match}, ready for use. */
export interface Selector {
  readonly matcher: Matcher;
  /** The topic or pattern. */
  readonly name: string;
  /** Whether it may match topics other than `name`: true of patterns and `*`. */
  readonly isOpenEnded: boolean;
  /** Whether it matches a topic that the hub names. Undefined for a pattern on a platform without `URLPattern`. */
  readonly test: ((topic: string) => boolean) | undefined;
}

/**
 * @param hub the URL that relative patterns are resolved against.
 * @throws TypeError for an invalid pattern.
 */
export function toSelectors(match: Match, hub: string, UrlPattern: UrlPatternConstructor | undefined): Selector[] {
  return ([match].flat() as readonly OneMatch<string>[]).map((one) => {
    if (typeof one === 'string') return selector('match', one, one === '*', (topic) => one === '*' || topic === one);
    const pattern = UrlPattern && new UrlPattern(one.pattern, hub);
    return selector('match_urlpattern', one.pattern, true, pattern && ((topic) => pattern.test(topic, hub)));
  });
}

function selector(parameter: string, name: string, isOpenEnded: boolean, test: Selector['test']): Selector {
  return { matcher: `${parameter}=${encodeURIComponent(name)}`, name, isOpenEnded, test };
}
