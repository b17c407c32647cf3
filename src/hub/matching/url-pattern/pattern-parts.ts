import { type PatternToken, type PatternTokenType, tokenizePattern } from './pattern-tokens.js';

/** How often a part may occur: once, at most once, any number of times, at least once. */
type PatternModifier = '' | '?' | '*' | '+';

/**
 * A piece of a component's pattern (URL Pattern, section 2.1): a fixed text, or something that varies between a fixed
 * prefix and a fixed suffix: all up to the component's delimiter, anything at all, or what a regular expression takes.
 */
export interface PatternPart {
  readonly kind: 'fixed' | 'segment' | 'anything' | 'regexp';
  readonly prefix: string;
  /** The text of a fixed part, the source of a regular expression, else empty. */
  readonly value: string;
  readonly suffix: string;
  readonly modifier: PatternModifier;
}

/**
 * The parts of a component's pattern, as the standard's "parse a pattern string" makes them. Names of groups are left
 * out: whether a topic matches doesn't depend on them. Nothing is encoded: the text must come from a `URLPattern`, which
 * has done so.
 *
 * @param prefix the character that belongs to a group when it stands in front of it: `/` in the path of a hierarchical
 *   URL, else empty
 * @throws SyntaxError when the text is no pattern
 */
export function parsePatternParts(text: string, prefix: '' | '/'): PatternPart[] {
  return new PartsParser(tokenizePattern(text), prefix).parse();
}

interface Group {
  readonly prefix: string;
  readonly content: PatternToken | undefined;
  readonly regexp: PatternToken | undefined;
  readonly suffix: string;
}

class PartsParser {
  private readonly parts: PatternPart[] = [];
  private index = 0;
  /** Fixed text that is still growing. */
  private pending = '';

  constructor(
    private readonly tokens: readonly PatternToken[],
    private readonly prefix: '' | '/',
  ) {}

  parse(): PatternPart[] {
    while (this.index < this.tokens.length) this.parseNext();
    this.flush();
    return this.parts;
  }

  private parseNext(): void {
    const char = this.take('char');
    const group = this.takeGroup();
    if (group !== undefined) {
      const isPrefix = char !== undefined && char.value === this.prefix;
      if (char !== undefined && !isPrefix) this.pending += char.value;
      this.add({ prefix: isPrefix ? char.value : '', ...group, suffix: '' });
      return;
    }
    const fixed = char ?? this.take('escaped');
    if (fixed !== undefined) {
      this.pending += fixed.value;
      return;
    }
    if (this.take('open') === undefined) throw new SyntaxError('unexpected token');
    const prefix = this.takeText();
    const inner = this.takeGroup() ?? { content: undefined, regexp: undefined };
    const suffix = this.takeText();
    if (this.take('close') === undefined) throw new SyntaxError('unclosed group');
    this.add({ prefix, ...inner, suffix });
  }

  private add({ prefix, content, regexp, suffix }: Group): void {
    const modifier = this.takeModifier();
    if (content === undefined && modifier === '') {
      this.pending += prefix;
      return;
    }
    this.flush();
    if (content === undefined) {
      if (prefix !== '') this.parts.push({ kind: 'fixed', prefix: '', value: prefix, suffix: '', modifier });
      return;
    }
    this.parts.push({ prefix, suffix, modifier, ...this.partOf(regexp) });
  }

  private partOf(regexp: PatternToken | undefined): Pick<PatternPart, 'kind' | 'value'> {
    if (regexp === undefined) return { kind: 'segment', value: '' };
    // The standard treats the custom group `(.*)` like an asterisk.
    const isAnything = regexp.type === 'asterisk' || regexp.value === '.*';
    return isAnything ? { kind: 'anything', value: '' } : { kind: 'regexp', value: regexp.value };
  }

  private flush(): void {
    if (this.pending === '') return;
    this.parts.push({ kind: 'fixed', prefix: '', value: this.pending, suffix: '', modifier: '' });
    this.pending = '';
  }

  /** A name, a regular expression, a name with a regular expression, or an asterisk. */
  private takeGroup(): Pick<Group, 'content' | 'regexp'> | undefined {
    const name = this.take('name');
    const regexp = this.take('regexp') ?? (name === undefined ? this.take('asterisk') : undefined);
    const content = name ?? regexp;
    return content === undefined ? undefined : { content, regexp };
  }

  private takeText(): string {
    let text = '';
    for (;;) {
      const token = this.take('char') ?? this.take('escaped');
      if (token === undefined) return text;
      text += token.value;
    }
  }

  private takeModifier(): PatternModifier {
    const value = (this.take('modifier') ?? this.take('asterisk'))?.value;
    return value === '?' || value === '*' || value === '+' ? value : '';
  }

  private take(type: PatternTokenType): PatternToken | undefined {
    const token = this.tokens[this.index];
    if (token?.type !== type) return undefined;
    this.index += 1;
    return token;
  }
}
