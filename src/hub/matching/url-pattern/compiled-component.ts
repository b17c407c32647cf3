import { RE2Set } from 're2js';
import { HubError } from '../../../access/hub.errors.js';
import { parsePatternParts, type PatternPart } from './pattern-parts.js';
import { regexpCost } from './regexp-rules.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';

/** The pattern of one component of a URL, ready to match. */
export interface CompiledComponent {
  /** The text that everything it matches starts with. */
  readonly head: string;
  /** Whether it matches `head` and nothing else. */
  readonly isLiteral: boolean;
  /** Whether it matches everything. */
  readonly isAnything: boolean;
  /** What matching costs: instructions of RE2's program, or 0 where RE2 is not needed. */
  readonly cost: number;
  /** The path segment by segment, where the pattern is one of a path and each of its segments is a text or varies whole. */
  readonly path: PathSegments | undefined;
  test(value: string): boolean;
}

/** See `Route`. */
interface PathSegments {
  readonly segments: readonly (string | undefined)[];
  readonly isOpen: boolean;
}

/** Bytes of RE2's cache of states, for each pattern. When the cache is full, RE2 empties it or goes on without it. */
const MAX_STATE_BYTES = 32 * 1024;

/**
 * Compiles a component's pattern so that matching is linear in the length of the value (R27), by the first of these that
 * fits:
 * - a fixed text is compared; a single `*` between fixed texts needs the start and the end compared;
 * - fixed texts and segments, each segment followed by its delimiter or by the end, are a native regular expression.
 *   It can't backtrack: where a segment ends is decided by one character, and giving one back never helps;
 * - everything else goes to RE2, whose time is linear by construction, if its program is small enough.
 *
 * @param delimiter what a segment may not contain, if anything
 * @param text as a `URLPattern` gives it: valid and encoded
 * @throws HubError `matcher-invalid` when it can't be matched in linear time, or would cost too much
 */
export function compileComponent(text: string, delimiter: '' | '.' | '/'): CompiledComponent {
  // In a host the dot in front of a group doesn't belong to it (URL Pattern, "hostname options").
  const parts = parsePatternParts(text, delimiter === '/' ? '/' : '');
  const head = headOf(parts);
  const pieces = piecesOf(parts);
  const compiled = pieces && compilePieces(pieces, delimiter);
  return {
    head,
    isLiteral: pieces?.every((piece) => typeof piece === 'string') ?? false,
    isAnything: pieces?.length === 1 && pieces[0] === ANYTHING,
    path: pathOf(pieces, delimiter),
    cost: compiled ? 0 : costOfAll(parts),
    test: compiled ?? compileRe2(parts, delimiter),
  };
}

type Test = (value: string) => boolean;

const SEGMENT = Symbol('segment');
const ANYTHING = Symbol('anything');

/** A fixed text, or something that varies. No two fixed texts stand side by side. */
type Piece = string | typeof SEGMENT | typeof ANYTHING;

/** The pattern as a plain sequence, or nothing when something in it is optional, repeated or a regular expression. */
function piecesOf(parts: readonly PatternPart[]): Piece[] | undefined {
  const pieces: Piece[] = [];
  const addText = (text: string): void => {
    const last = pieces.at(-1);
    if (typeof last === 'string') pieces[pieces.length - 1] = last + text;
    else if (text !== '') pieces.push(text);
  };
  for (const { kind, prefix, value, suffix, modifier } of parts) {
    if (kind === 'regexp' || modifier !== '') return undefined;
    addText(prefix);
    if (kind === 'fixed') addText(value);
    else pieces.push(kind === 'segment' ? SEGMENT : ANYTHING);
    addText(suffix);
  }
  return pieces;
}

function headOf(parts: readonly PatternPart[]): string {
  let head = '';
  for (const { kind, prefix, value, modifier } of parts) {
    if (modifier !== '') return head;
    if (kind !== 'fixed') return head + prefix;
    head += value;
  }
  return head;
}

function compilePieces(pieces: readonly Piece[], delimiter: '' | '.' | '/'): Test | undefined {
  return compileFixed(pieces) ?? compileGlob(pieces) ?? compileSegments(pieces, delimiter);
}

/** Stand for what varies, in the text of a path: the text itself has no control characters. */
const ANY_SEGMENT = '\0';
const ANY_REST = '\u0001';

function pathOf(pieces: readonly Piece[] | undefined, delimiter: string): PathSegments | undefined {
  if (!pieces || delimiter !== '/') return undefined;
  const text = pieces.map((piece) => (typeof piece === 'string' ? piece : piece === SEGMENT ? ANY_SEGMENT : ANY_REST));
  const path = pieces.length === 1 && pieces[0] === ANYTHING ? `/${ANY_REST}` : text.join('');
  const isOpen = path.endsWith(`/${ANY_REST}`);
  const segments = (isOpen ? path.slice(0, -2) : path).split('/');
  // What varies only within a segment, or over several, is not looked up segment by segment.
  const isVaried = (segment: string): boolean => segment.includes(ANY_SEGMENT) || segment.includes(ANY_REST);
  if (segments.shift() !== '') return undefined;
  if (segments.some((segment) => segment !== ANY_SEGMENT && isVaried(segment))) return undefined;
  return { segments: segments.map((segment) => (segment === ANY_SEGMENT ? undefined : segment)), isOpen };
}

function compileFixed(pieces: readonly Piece[]): Test | undefined {
  const [text = '', ...more] = pieces;
  return typeof text === 'string' && more.length === 0 ? (value) => value === text : undefined;
}

function compileGlob(pieces: readonly Piece[]): Test | undefined {
  const at = pieces.indexOf(ANYTHING);
  const start = pieces.slice(0, at);
  const end = pieces.slice(at + 1);
  if (at === -1 || [...start, ...end].some((piece) => typeof piece !== 'string')) return undefined;
  const [before, after] = [start.join(''), end.join('')];
  if (before === '' && after === '') return () => true;
  const least = before.length + after.length;
  return (value) => value.length >= least && value.startsWith(before) && value.endsWith(after);
}

function compileSegments(pieces: readonly Piece[], delimiter: '' | '.' | '/'): Test | undefined {
  let source = '';
  for (const [index, piece] of pieces.entries()) {
    const next = pieces[index + 1];
    const isLast = index === pieces.length - 1;
    const isDelimited = isLast || (delimiter !== '' && typeof next === 'string' && next.startsWith(delimiter));
    if (typeof piece === 'string') source += escapeRegexp(piece);
    else if (piece === SEGMENT && isDelimited) source += `${segmentClass(delimiter)}+`;
    else if (piece === ANYTHING && isLast) source += '.*';
    else return undefined;
  }
  const expression = new RegExp(`^${source}$`, 's');
  return (value) => expression.test(value);
}

function compileRe2(parts: readonly PatternPart[], delimiter: '' | '.' | '/'): Test {
  if (costOfAll(parts) > HUB_LIMITS.regexpCost) throw tooComplex();
  const set = new RE2Set(RE2Set.ANCHOR_BOTH, 0, MAX_STATE_BYTES);
  try {
    set.add(`^(?:${parts.map((part) => regexpOf(part, delimiter)).join('')})$`);
    set.compile();
  } catch (cause) {
    throw new HubError('matcher-invalid', 'A URL pattern uses regular expression syntax that is not supported.', {
      cause,
    });
  }
  return (value) => set.match(value).length > 0;
}

function costOfAll(parts: readonly PatternPart[]): number {
  return parts.reduce((sum, part) => sum + costOf(part), 0);
}

/** Fixed text that occurs once is not counted: it keeps no more than one state of the program busy. */
function costOf({ kind, prefix, value, suffix, modifier }: PatternPart): number {
  if (kind === 'fixed') return modifier === '' ? 0 : value.length + 2;
  const content = kind === 'regexp' ? regexpCost(value) : 4;
  const repeated = modifier === '*' || modifier === '+';
  return (content + 2) * (repeated ? 2 : 1) + (modifier === '' ? 0 : 2 * (prefix.length + suffix.length) + 2);
}

/** A part as the standard's "generate a regular expression and name list" writes it, without the captures. */
function regexpOf(part: PatternPart, delimiter: '' | '.' | '/'): string {
  const { kind, value, modifier } = part;
  if (kind === 'fixed') return modifier === '' ? escapeRegexp(value) : `(?:${escapeRegexp(value)})${modifier}`;
  const content = kind === 'segment' ? `${segmentClass(delimiter)}+` : kind === 'anything' ? '.*' : value;
  const prefix = escapeRegexp(part.prefix);
  const suffix = escapeRegexp(part.suffix);
  if (modifier === '' || modifier === '?') return `(?:${prefix}(?:${content})${suffix})${modifier}`;
  if (prefix === '' && suffix === '') return `(?:(?:${content})${modifier})`;
  const repeated = `(?:${prefix}(?:${content})(?:${suffix}${prefix}(?:${content}))*${suffix})`;
  return modifier === '*' ? `${repeated}?` : repeated;
}

function segmentClass(delimiter: '' | '.' | '/'): string {
  // A dot is enough, because a component holds no line end: the URL parser removes or encodes them.
  return delimiter === '' ? '.' : `[^${escapeRegexp(delimiter)}]`;
}

function escapeRegexp(text: string): string {
  return text.replaceAll(/[.+*?^${}()[\]|/\\]/g, String.raw`\$&`);
}

function tooComplex(): HubError {
  return new HubError('matcher-invalid', 'A URL pattern is too complex: use fewer groups or lower repetition counts.');
}
