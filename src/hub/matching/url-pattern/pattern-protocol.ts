import type { PatternToken, PatternTokenType } from './pattern-tokens.js';

/** Enough for `http{s}?`, `(https?|wss?)` and `:scheme`. */
const MAX_VARIABLE_TOKENS = 4;

const PLAIN_ALTERNATIVES = /^[a-z0-9+.|?-]{1,32}$/i;

const VARIABLE: ReadonlySet<PatternTokenType> = new Set(['asterisk', 'modifier', 'name', 'regexp', 'open']);
const CHARACTER: ReadonlySet<PatternTokenType> = new Set(['char', 'escaped', 'invalid']);

/**
 * The tokens of a pattern's protocol, or nothing when the pattern is relative: the protocol ends at the first colon
 * outside of a group (URL Pattern, "parse a constructor string").
 */
export function protocolTokens(tokens: readonly PatternToken[]): readonly PatternToken[] | undefined {
  let isInGroup = false;
  for (const [index, { type, value }] of tokens.entries()) {
    if (type === 'open') isInGroup = true;
    else if (type === 'close') isInGroup = false;
    else if (value === ':' && !isInGroup && CHARACTER.has(type)) return tokens.slice(0, index);
  }
  return undefined;
}

/**
 * Whether a pattern with this protocol may be constructed. To find out whether the protocol is one with a path of
 * segments, the constructor of `URLPattern` matches the names of such protocols against it, by backtracking: with a
 * protocol such as `((?:h?){1000})`, merely constructing the pattern would take for ever.
 */
export function isSimpleProtocol(tokens: readonly PatternToken[]): boolean {
  const variable = tokens.filter(({ type }) => VARIABLE.has(type));
  return (
    variable.length <= MAX_VARIABLE_TOKENS && variable.every(({ type, value }) => type !== 'regexp' || isPlain(value))
  );
}

function isPlain(regexp: string): boolean {
  return PLAIN_ALTERNATIVES.test(regexp) && regexp.split('?').length <= 3;
}
