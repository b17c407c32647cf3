/**
 * Names topics, as the parameter of the query that asks the hub for them: `match=` and one of them (`*` is all), or
 * `match_urlpattern=` and a URL Pattern. Two matchers ask for the same if and only if they are equal.
 */
export type Matcher = string;

type OneMatch<Topic> = Topic | { readonly pattern: Topic };

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
  /** Whether there may be topics of it that it does not name. */
  readonly isOpenEnded: boolean;
  /** Whether a topic is matched, as the hub tells it. Undefined where this platform can't tell. */
  readonly test: ((topic: string) => boolean) | undefined;
}

/**
 * @param hub what relative patterns are relative to.
 * @throws TypeError for a pattern that is none.
 */
export function toSelectors(match: Match, hub: string, UrlPattern: UrlPatternConstructor | undefined): Selector[] {
  return ([match].flat() as readonly OneMatch<string>[]).map((one) => {
    if (typeof one === 'string') {
      const isOpenEnded = one === '*';
      return {
        matcher: `match=${encodeURIComponent(one)}`,
        name: one,
        isOpenEnded,
        test: (topic) => isOpenEnded || topic === one,
      };
    }
    const name = one.pattern;
    const pattern = UrlPattern && new UrlPattern(name, hub);
    return {
      matcher: `match_urlpattern=${encodeURIComponent(name)}`,
      name,
      isOpenEnded: true,
      test: pattern && ((topic) => pattern.test(topic, hub)),
    };
  });
}
