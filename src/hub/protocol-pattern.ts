import { HubError } from './hub.errors.js';
import { type PatternToken, type PatternTokenType, tokenizePattern } from './pattern-tokens.js';

/** Enough for `http{s}?`, `(https?|wss?)` and `:scheme`. */
const MAX_VARIABLE_TOKENS = 4;

const PLAIN_ALTERNATIVES = /^[a-z0-9+.|?-]{1,32}$/i;

const VARIABLE: ReadonlySet<PatternTokenType> = new Set(['asterisk', 'modifier', 'name', 'regexp', 'open']);
const CHARACTER: ReadonlySet<PatternTokenType> = new Set(['char', 'escaped', 'invalid']);

/**
 * Refuses a pattern whose protocol is not simple. To find out whether the protocol is one with a hierarchical path, the
 * constructor of `URLPattern` matches the names of such protocols against it, by backtracking: with a protocol such as
 * `((?:h?){1000})`, merely constructing the pattern would take for ever.
 *
 * @throws HubError `matcher-invalid`
 */
export function checkProtocolPattern(pattern: string): void {
  const variable = protocolTokens(tokenizePattern(pattern)).filter(({ type }) => VARIABLE.has(type));
  const isSimple = variable.every(({ type, value }) => type !== 'regexp' || isPlain(value));
  if (!isSimple || variable.length > MAX_VARIABLE_TOKENS) throw tooComplex();
}

/** The protocol ends at the first colon outside of a group ("parse a constructor string"); without one, there is none. */
function protocolTokens(tokens: readonly PatternToken[]): readonly PatternToken[] {
  let isInGroup = false;
  for (const [index, { type, value }] of tokens.entries()) {
    if (type === 'open') isInGroup = true;
    else if (type === 'close') isInGroup = false;
    else if (value === ':' && !isInGroup && CHARACTER.has(type)) return tokens.slice(0, index);
  }
  return [];
}

function isPlain(regexp: string): boolean {
  return PLAIN_ALTERNATIVES.test(regexp) && regexp.split('?').length <= 3;
}

function tooComplex(): HubError {
  return new HubError(
    'matcher-invalid',
    'The protocol of a URL pattern is too complex: use a name, a wildcard or a few names.',
  );
}
