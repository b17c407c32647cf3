import { HubError } from '../../access/hub.errors.js';
import { isCleanText } from './text-rules.js';
import { compileUrlPattern } from './url-pattern/url-pattern.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';

/**
 * `exact` compares byte for byte (R24); `urlpattern` is a WHATWG URL Pattern relative to the hub's URL (R25);
 * `uritemplate` is a selector of the 0.x dialect, which requests of the current one can't name.
 */
export type MatcherType = 'exact' | 'urlpattern' | 'uritemplate';

/** The types that requests and tokens of the current protocol can name. */
export const MATCHER_TYPES = ['exact', 'urlpattern'] as const satisfies readonly MatcherType[];

/** A topic or pattern that a subscription or a grant names. */
export interface Matcher {
  readonly type: MatcherType;
  readonly pattern: string;
}

/** Matches every topic, whatever the type that it's given under (R23). */
export const WILDCARD = '*';

/**
 * The matcher of this type and pattern, checked (R13, R22–R27): of a type that the hub knows, of at most 4096 bytes of
 * clean text, and, for a URL Pattern, one that can be matched in linear time.
 *
 * @throws HubError `matcher-unknown`, `matcher-too-long` or `matcher-invalid`
 */
export function parseMatcher(type: string, pattern: string, hubUrl: URL): Matcher {
  const matcher = readMatcher(type, pattern);
  if (matcher.type === 'urlpattern' && pattern !== WILDCARD) compileUrlPattern(pattern, hubUrl);
  return matcher;
}

/**
 * The same, but a URL Pattern is not compiled, which takes some milliseconds, and so may still turn out to be none.
 *
 * @throws HubError `matcher-unknown`, `matcher-too-long` or `matcher-invalid`
 */
export function readMatcher(type: string, pattern: string): Matcher {
  const known = MATCHER_TYPES.find((candidate) => candidate === type);
  if (known === undefined) {
    throw new HubError('matcher-unknown', `The matcher types are: ${MATCHER_TYPES.join(', ')}.`);
  }
  checkMatcherText(pattern);
  return { type: known, pattern };
}

/** @throws HubError `matcher-too-long` or `matcher-invalid` for text that no matcher of any type may have */
export function checkMatcherText(pattern: string): void {
  if (Buffer.byteLength(pattern) > HUB_LIMITS.matcherBytes) {
    throw new HubError('matcher-too-long', `A matcher may be at most ${HUB_LIMITS.matcherBytes} bytes of UTF-8.`);
  }
  if (!isCleanText(pattern)) {
    throw new HubError('matcher-invalid', 'A matcher contains a control, formatting or malformed character.');
  }
}

/** The same for two matchers if and only if their types and patterns are the same. */
export function matcherKey({ type, pattern }: Matcher): string {
  return `${type}:${pattern}`;
}
