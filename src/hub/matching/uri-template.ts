import { LRUCache } from 'lru-cache';
import { RE2JS } from 're2js';
import { HubError } from '../../access/hub.errors.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';

/** Compiling takes about half a millisecond, and many readers come with the same few templates. */
const MAX_COMPILED = 500;

const compiled = new LRUCache<string, UriTemplate>({ max: MAX_COMPILED });

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

/** What stands for itself in an expansion (RFC 6570, 3.1); everything else may be percent-encoded there. */
const NOT_ITSELF = /%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]/gu;

/**
 * A selector of the 0.x dialect: matches the strings that an RFC 6570 URI Template expands to, and the template's own
 * text. In linear time, whatever the template and the topic: RE2 does the matching (R27).
 *
 * It looks at the form of an expansion, not at what the variables could have been: `{id:3}` matches longer values too.
 */
export class UriTemplate {
  /** What every topic that it matches starts with. */
  readonly literalPrefix: string;
  private readonly expression: RE2JS;

  /** Use `compileUriTemplate`, which keeps what it has compiled. */
  constructor(private readonly template: string) {
    const source = sourceOf(template);
    if (source === undefined) throw invalid('has a brace that is not part of a well-formed expression');
    this.literalPrefix = template.slice(0, Math.max(0, template.indexOf('{'))).split(NOT_ITSELF, 1)[0] ?? '';
    this.expression = RE2JS.compile(source);
  }

  matches(topic: string): boolean {
    return topic === this.template || this.expression.matches(topic);
  }
}

/** @throws {HubError} `matcher-invalid` when it is no template, or one that costs too much */
export function compileUriTemplate(template: string): UriTemplate {
  const known = compiled.get(template);
  if (known !== undefined) return known;
  const fresh = new UriTemplate(template);
  compiled.set(template, fresh);
  return fresh;
}

/**
 * Whether `text` is a template with something in it to expand. What isn't is a string like any other.
 * @throws {HubError} `matcher-invalid` when it is a template that costs too much
 */
export function isUriTemplate(text: string): boolean {
  return text.includes('{') && sourceOf(text) !== undefined;
}

/** What the template's expansions look like, as a regular expression; nothing for what is no template. */
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

/** As it stands, which is what most hubs and publishers take it for, or encoded, which is what an expansion has. */
function literal(text: string): string {
  const encoded = text.replaceAll(NOT_ITSELF, encodeURIComponent);
  const plain = RE2JS.quote(text);
  return encoded === text ? plain : `(?:${plain}|${RE2JS.quote(encoded)})`;
}

/** What the values of one expression may look like; undefined ones leave no trace, so all of it may be missing. */
function expansionOf(name: string, variables: readonly string[]): string {
  const operator = OPERATORS[name];
  if (!operator) throw invalid('has an operator that does not exist');
  const first = RE2JS.quote(operator.first);
  const separator = RE2JS.quote(operator.separator);
  if (!operator.isNamed) {
    const values = `(?:${operator.value}|[,=])*`;
    // A comma is among the values' own characters already.
    const others = operator.separator === ',' ? '' : `(?:${separator}${values})*`;
    return `(?:${first}${values}${others})?`;
  }
  const values = `(?:${variables.map((variable) => namedValue(variable, operator)).join('|')})`;
  return `(?:${first}${values}(?:${separator}${values})*)?`;
}

/** An exploded variable has the names of its own parts. */
function namedValue(variable: string, { value }: Operator): string {
  const isExploded = variable.endsWith('*');
  const name = isExploded ? `${UNRESERVED}+` : RE2JS.quote(variable.replace(/:\d+$/, ''));
  return `${name}(?:=(?:${value}|,)*)?`;
}

function invalid(why: string): HubError {
  return new HubError('matcher-invalid', `A topic selector is no URI Template that can be used: it ${why}.`);
}
