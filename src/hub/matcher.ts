import { HubError } from './hub.errors.js';
import { isCleanText } from './text-rules.js';
import { compileUrlPattern } from './url-pattern.js';

/** `exact` compares byte for byte (R24); `urlpattern` is a WHATWG URL Pattern relative to the hub's URL (R25). */
export type MatcherType = 'exact' | 'urlpattern';

export const MATCHER_TYPES: readonly MatcherType[] = ['exact', 'urlpattern'];

/** What a subscription or a grant names topics by. */
export interface Matcher {
  readonly type: MatcherType;
  readonly pattern: string;
}

export const MAX_PATTERN_BYTES = 4096;

/** Matches every topic, whatever the type that it's given under (R23). */
export const WILDCARD = '*';

/**
 * The matcher of this type and pattern, checked (R13, R22–R27): of a type that the hub knows, of at most 4096 bytes of
 * clean text, and, for a URL Pattern, one that can be matched in linear time.
 *
 * @throws HubError `matcher-unknown`, `matcher-too-long` or `matcher-invalid`
 */
export function parseMatcher(type: string, pattern: string, hubUrl: URL): Matcher {
  const known = MATCHER_TYPES.find((candidate) => candidate === type);
  if (known === undefined) {
    throw new HubError('matcher-unknown', `The matcher types are: ${MATCHER_TYPES.join(', ')}.`);
  }
  if (Buffer.byteLength(pattern) > MAX_PATTERN_BYTES) {
    throw new HubError('matcher-too-long', `A matcher may be at most ${MAX_PATTERN_BYTES} bytes of UTF-8.`);
  }
  if (!isCleanText(pattern)) {
    throw new HubError('matcher-invalid', 'A matcher contains a control, formatting or malformed character.');
  }
  if (known === 'urlpattern' && pattern !== WILDCARD) compileUrlPattern(pattern, hubUrl);
  return { type: known, pattern };
}

/** The same for two matchers if and only if their types and patterns are the same. */
export function matcherKey({ type, pattern }: Matcher): string {
  return `${type}:${pattern}`;
}
