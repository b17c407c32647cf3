import { RE2JS } from 're2js';
import { HubError } from '../../access/hub.errors.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';
import { CompiledPatterns } from './compiled-patterns.js';

/**
 * What a compiled template was measured to take at most once it has been used. Bytes: of itself, for a character, for one
 * that may also come encoded, and for a variable.
 */
const SIZE = { itself: 8_192, character: 520, encoded: 1_300, variable: 4_096 };

/** Instructions that a variable is compiled to, about. */
const VARIABLE_COST = 20;

/** Compiling takes about half a millisecond, and many readers come with the same few templates. */
const compiled = new CompiledPatterns<UriTemplate>();

/** What a value may consist of (RFC 6570, 1.5 and 3.2.1). */
const UNRESERVED = String.raw`(?:[A-Za-z0-9\-._~]|%[0-9A-Fa-f]{2})`;
const ANYTHING = String.raw`(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})`;

/** How an operator's expansions look (RFC 6570, appendix A). */
interface Operator {
  readonly first: string;
  readonly separator: string;
  readonly isNamed: boolean;
  readonly value: string;
}

const OPERATORS: Readonly<Record<string, Operator>> = {
  '': { first: '', separator: ',', isNamed: false, value: UNRESERVED },
  '+': { first: '', separator: ',', isNamed: false, value: ANYTHING },
  '#': { first: '#', separator: ',', isNamed: false, value: ANYTHING },
  '.': { first: '.', separator: '.', isNamed: false, value: UNRESERVED },
  '/': { first: '/', separator: '/', isNamed: false, value: UNRESERVED },
  ';': { first: ';', separator: ';', isNamed: true, value: UNRESERVED },
  '?': { first: '?', separator: '&', isNamed: true, value: UNRESERVED },
  '&': { first: '&', separator: '&', isNamed: true, value: UNRESERVED },
};

const EXPRESSION = /\{([+#./;?&]?)([^{}]*)\}/g;
const VARIABLE = /^(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})(?:[A-Za-z0-9_.]|%[0-9A-Fa-f]{2})*(?:\*|:[1-9][0-9]{0,3})?$/;

/** What does not stand for itself in a literal, and is percent-encoded in an expansion (RFC 6570, 3.1). */
const NOT_ITSELF = /%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]/gu;

/**
 * A selector of the 0.x dialect: matches the strings that an RFC 6570 URI Template expands to, and the template's own
 * text. Matching takes linear time, whatever the template and the topic, because RE2 does it (R27).
 *
 * Only the form of an expansion is checked, not what the variables could have been: `{id:3}` matches longer values too.
 */
export class UriTemplate {
  /** The text that every topic which it matches starts with. */
  readonly literalPrefix: string;
  /** About how many bytes it takes. */
  readonly bytes: number;
  private readonly expression: RE2JS;

  /** Use `compileUriTemplate`, which keeps what it has compiled. */
  constructor(private readonly template: string) {
    const source = sourceOf(template);
    if (source === undefined) throw invalid('has a brace that is not part of a well-formed expression');
    this.literalPrefix = template.slice(0, Math.max(0, template.indexOf('{'))).split(NOT_ITSELF, 1)[0] ?? '';
    this.bytes = uriTemplateBytes(template);
    this.expression = RE2JS.compile(source);
  }

  matches(topic: string): boolean {
    return topic === this.template || this.expression.matches(topic);
  }
}

/** @throws {HubError} `matcher-invalid` when it is no template, or one that costs too much */
export function compileUriTemplate(template: string): UriTemplate {
  return compiled.of(template, () => new UriTemplate(template));
}

/** About how many bytes a template takes once it is compiled. */
export function uriTemplateBytes(template: string): number {
  const encoded = template.match(NOT_ITSELF)?.length ?? 0;
  const variables = template.split(/[{,]/).length;
  return SIZE.itself + SIZE.character * template.length + SIZE.encoded * encoded + SIZE.variable * variables;
}

/** What matching a template costs, in instructions of its program: all of it after the text that it begins with. */
export function uriTemplateCost(template: string): number {
  const varying = template.slice(template.indexOf('{'));
  return varying.length + VARIABLE_COST * varying.split(/[{,]/).length;
}

/**
 * Whether `text` is a URI Template with at least one expression. Any other text is an exact topic.
 * @throws {HubError} `matcher-invalid` when it is a template that costs too much
 */
export function isUriTemplate(text: string): boolean {
  return text.includes('{') && sourceOf(text) !== undefined;
}

/** A regular expression for the template's expansions; undefined when the template is malformed. */
function sourceOf(template: string): string | undefined {
  let source = '';
  let end = 0;
  let count = 0;
  for (const match of template.matchAll(EXPRESSION)) {
    const [whole, operator = '', list = ''] = match;
    const variables = list.split(',');
    const text = template.slice(end, match.index);
    if (/[{}]/.test(text) || !variables.every((variable) => VARIABLE.test(variable))) return undefined;
    source += literal(text) + expansionOf(operator, variables);
    end = match.index + whole.length;
    count += variables.length;
    if (count > HUB_LIMITS.templateVariables) throw invalid(`has more than ${HUB_LIMITS.templateVariables} variables`);
  }
  const rest = template.slice(end);
  return /[{}]/.test(rest) ? undefined : source + literal(rest);
}

/** Literal text, either as it stands, which most hubs and publishers expect, or encoded, as RFC 6570 expands it. */
function literal(text: string): string {
  const encoded = text.replaceAll(NOT_ITSELF, encodeURIComponent);
  const plain = RE2JS.quote(text);
  return encoded === text ? plain : `(?:${plain}|${RE2JS.quote(encoded)})`;
}

/** What one expression may expand to. All of it is optional, because undefined variables expand to nothing. */
function expansionOf(name: string, variables: readonly string[]): string {
  const operator = OPERATORS[name];
  if (!operator) throw invalid('has an operator that does not exist');
  const first = RE2JS.quote(operator.first);
  const separator = RE2JS.quote(operator.separator);
  if (!operator.isNamed) {
    const values = `(?:${operator.value}|[,=])*`;
    // A comma as the separator is covered by `values` already.
    const others = operator.separator === ',' ? '' : `(?:${separator}${values})*`;
    return `(?:${first}${values}${others})?`;
  }
  const values = `(?:${variables.map((variable) => namedValue(variable, operator)).join('|')})`;
  return `(?:${first}${values}(?:${separator}${values})*)?`;
}

/** A named variable and its value. An exploded one (`*`) has the names of its members instead, whatever these are. */
function namedValue(variable: string, { value }: Operator): string {
  const isExploded = variable.endsWith('*');
  const name = isExploded ? `${UNRESERVED}+` : RE2JS.quote(variable.replace(/:\d+$/, ''));
  return `${name}(?:=(?:${value}|,)*)?`;
}

function invalid(why: string): HubError {
  return new HubError('matcher-invalid', `A topic selector is not a usable URI Template: it ${why}.`);
}
