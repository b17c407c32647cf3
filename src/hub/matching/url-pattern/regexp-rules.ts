import { HubError } from '../../../access/hub.errors.js';

/** A parenthesised level of a regular expression, while it's being read. */
interface Level {
  /** What its finished atoms cost. */
  sum: number;
  /** What the atom before the reading position costs: a repetition multiplies it. */
  last: number;
}

/**
 * An upper bound of the number of instructions that the regular expression of a custom group is compiled to, found
 * without compiling it: a few characters such as `(?:a{1000}){1000}` can ask for more than there is memory.
 *
 * @param source a valid JavaScript regular expression of the `u` kind
 * @throws HubError `matcher-invalid` for what can't be matched in linear time, or what other engines read differently
 */
export function regexpCost(source: string): number {
  const levels: Level[] = [];
  let level: Level = { sum: 1, last: 0 };
  let index = 0;
  while (index < source.length) {
    const { length, atom, repeat, enter, leave } = readPiece(source, index);
    index += length;
    if (enter) {
      levels.push(level);
      level = { sum: 1, last: 0 };
    } else if (leave) {
      const group = level.sum + level.last;
      level = levels.pop() ?? { sum: 0, last: 0 };
      startAtom(level, group + 1);
    } else if (repeat !== undefined) {
      level.last = (level.last + 1) * repeat;
    } else {
      startAtom(level, atom);
    }
  }
  return level.sum + level.last;
}

function startAtom(level: Level, cost: number): void {
  level.sum += level.last;
  level.last = cost;
}

interface Piece {
  readonly length: number;
  /** What one occurrence costs. */
  readonly atom: number;
  /** How often the atom before it is compiled, for a quantifier. */
  readonly repeat?: number;
  readonly enter?: boolean;
  readonly leave?: boolean;
}

function readPiece(source: string, index: number): Piece {
  switch (source.charAt(index)) {
    case '\\':
      return readEscape(source, index);
    case '[':
      return readClass(source, index);
    case '(':
      return readOpening(source, index);
    case ')':
      return { length: 1, atom: 0, leave: true };
    case '{':
      return readCount(source, index);
    case '*':
    case '+':
    case '?':
      return { length: 1, atom: 0, repeat: 1 };
    default:
      return { length: 1, atom: 2 };
  }
}

function readEscape(source: string, index: number): Piece {
  const [text = ''] = sticky(/\\(?:[pP]\{[^}]*\}|.)/y, source, index) ?? [];
  if (/^\\[1-9k]/.test(text)) throw notLinear();
  return { length: Math.max(text.length, 1), atom: 2 };
}

function readClass(source: string, index: number): Piece {
  const text = sticky(/\[(?:[^\]\\]|\\.)*\]/y, source, index)?.[0];
  if (text === undefined) throw unsupported();
  // `[]`, `[^]` and a bracket within a class mean one thing to JavaScript and another to RE2.
  if (/^\[\^?\]|^\[.*[^\\]\[/.test(text) || text.startsWith('[[')) throw unsupported();
  return { length: text.length, atom: 2 };
}

function readOpening(source: string, index: number): Piece {
  const text = sticky(/\((?:\?(?::|<?[=!]|<[^>]*>|.))?/y, source, index)?.[0] ?? '(';
  if (/^\(\?<?[=!]/.test(text)) throw notLinear();
  if (text !== '(?:') throw unsupported();
  return { length: text.length, atom: 0, enter: true };
}

function readCount(source: string, index: number): Piece {
  const counts = sticky(/\{(\d+)(,?)(\d*)\}/y, source, index);
  if (counts === null) throw unsupported();
  const [text, least, comma, most = ''] = counts;
  const repeat = most === '' ? Number(least) + (comma === '' ? 0 : 1) : Number(most);
  return { length: text.length, atom: 0, repeat: Math.max(repeat, 1) };
}

function sticky(expression: RegExp, source: string, index: number): RegExpExecArray | null {
  expression.lastIndex = index;
  return expression.exec(source);
}

function notLinear(): HubError {
  return new HubError(
    'matcher-invalid',
    'A URL pattern must not use look-around or back-references: they cannot be matched in linear time.',
  );
}

function unsupported(): HubError {
  return new HubError('matcher-invalid', 'A URL pattern uses regular expression syntax that is not supported.');
}
