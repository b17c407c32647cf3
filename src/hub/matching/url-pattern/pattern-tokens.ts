export type PatternTokenType =
  'char' | 'escaped' | 'invalid' | 'name' | 'regexp' | 'asterisk' | 'modifier' | 'open' | 'close';

/** A lexical unit of a pattern string; the value of an escaped character, a name or a group is without its syntax. */
export interface PatternToken {
  readonly type: PatternTokenType;
  readonly value: string;
}

/** A token and where the one after it starts. */
type Step = readonly [token: PatternToken, next: number];

const NAME = /[$_\p{ID_Start}][$_\u200c\u200d\p{ID_Continue}]*/uy;

const SIGNS: ReadonlyMap<string, PatternTokenType> = new Map([
  ['*', 'asterisk'],
  ['+', 'modifier'],
  ['?', 'modifier'],
  ['{', 'open'],
  ['}', 'close'],
]);

/**
 * The tokens of a pattern string, as URL Pattern's "tokenize" makes them under the lenient policy: what can't be read is
 * an `invalid` token, and the rest is read on.
 */
export function tokenizePattern(text: string): PatternToken[] {
  const tokens: PatternToken[] = [];
  for (let index = 0; index < text.length;) {
    const [token, next] = readToken(text, index);
    tokens.push(token);
    index = next;
  }
  return tokens;
}

function readToken(text: string, index: number): Step {
  const char = text.charAt(index);
  const sign = SIGNS.get(char);
  if (sign !== undefined) return [{ type: sign, value: char }, index + 1];
  if (char === '\\') return readEscaped(text, index);
  if (char === ':') return readName(text, index);
  if (char === '(') return readRegexp(text, index);
  return [{ type: 'char', value: char }, index + 1];
}

function readEscaped(text: string, index: number): Step {
  if (index + 1 >= text.length) return invalid(text, index);
  return [{ type: 'escaped', value: text.charAt(index + 1) }, index + 2];
}

function readName(text: string, index: number): Step {
  NAME.lastIndex = index + 1;
  const value = NAME.exec(text)?.[0];
  return value === undefined ? invalid(text, index) : [{ type: 'name', value }, index + 1 + value.length];
}

/** A group ends at the parenthesis that closes it, even when that stands within a character class. */
function readRegexp(text: string, index: number): Step {
  let depth = 1;
  for (let end = index + 1; end < text.length; end += 1) {
    const char = text.charAt(end);
    if (char > '\x7f' || (char === '?' && end === index + 1)) break;
    if (char === '\\') end += 1;
    else if (char === ')') depth -= 1;
    else if (char === '(') {
      // Only groups that don't capture may stand in a group.
      if (text.charAt(end + 1) !== '?') break;
      depth += 1;
    }
    if (depth === 0) {
      const value = text.slice(index + 1, end);
      return value === '' ? invalid(text, index) : [{ type: 'regexp', value }, end + 1];
    }
  }
  return invalid(text, index);
}

function invalid(text: string, index: number): Step {
  return [{ type: 'invalid', value: text.charAt(index) }, index + 1];
}
