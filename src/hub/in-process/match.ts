import { HubError } from '../../access/hub.errors.js';
import { type Matcher, type MatcherType, parseMatcher } from '../matching/matcher.js';

/** A topic, `*` for every topic, or `{ pattern }`, which is a URL Pattern unless it has another `type`. */
export type OneMatch = string | { readonly pattern: string; readonly type?: MatcherType | undefined };

/**
 * Which topics are meant, as in the client library: a topic, `*` for every topic, `{ pattern }` for a URL Pattern (relative
 * to the hub's URL), or several of these.
 */
export type Match = OneMatch | readonly OneMatch[];

/**
 * The matchers that are meant, checked.
 * @throws {HubError} `matcher-missing`, `matcher-unknown`, `matcher-too-long` or `matcher-invalid`
 */
export function matchersOf(match: Match, hubUrl: URL): Matcher[] {
  const all = [match].flat();
  if (all.length === 0) throw new HubError('matcher-missing', 'Say which topics are meant: there is no matcher.');
  return all.map((one) => {
    if (typeof one === 'string') return parseMatcher('exact', one, hubUrl);
    return parseMatcher(one.type ?? 'urlpattern', one.pattern, hubUrl);
  });
}
