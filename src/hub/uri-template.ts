import { RE2JS } from 're2js';
import { HubError } from './hub.errors.js';

/** The longest template that is compiled; its program grows with it, and matching takes their product with the topic. */
const MAX_EXPRESSIONS = 50;

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

/**
 * A selector of the 0.x dialect: matches the strings that an RFC 6570 URI Template expands to, and the template's own
 * text. In linear time, whatever the template and the topic: RE2 does the matching (R27).
 */
export class UriTemplate {
  /** What every topic that it matches starts with. */
  readonly literalPrefix: string;
  private readonly expression: RE2JS;

  /** @throws {HubError} `matcher-invalid` when it is no template, or one that costs too much */
  constructor(private readonly template: string) {
    this.literalPrefix = template.slice(0, Math.max(0, template.indexOf('{')));
    this.expression = compile(template);
  }

  matches(topic: string): boolean {
    return topic === this.template || this.expression.matches(topic);
  }
}

/** Whether `text` is a template with something in it to expand. What isn't is a string like any other. */
export function isUriTemplate(text: string): boolean {
  if (!text.includes('{')) return false;
  try {
    return compile(text) !== undefined;
  } catch (error) {
    if (error instanceof HubError) return false;
    throw error;
  }
}

function compile(template: string): RE2JS {
  let source = '';
  let end = 0;
  let expressions = 0;
  for (const match of template.matchAll(EXPRESSION)) {
    const [whole, operator = '', variables = ''] = match;
    source += literal(template.slice(end, match.index)) + expansionOf(operator, variables.split(','));
    end = match.index + whole.length;
    expressions += variables.split(',').length;
  }
  if (expressions > MAX_EXPRESSIONS) throw invalid(`may have at most ${MAX_EXPRESSIONS} variables`);
  return RE2JS.compile(source + literal(template.slice(end)));
}

function literal(text: string): string {
  if (/[{}]/.test(text)) throw invalid('has a brace that is not part of an expression');
  return RE2JS.quote(text);
}

/** What the values of one expression may look like; undefined ones leave no trace, so all of it may be missing. */
function expansionOf(name: string, variables: readonly string[]): string {
  const operator = OPERATORS[name];
  if (!operator || !variables.every((variable) => VARIABLE.test(variable))) throw invalid('has a malformed expression');
  const separator = RE2JS.quote(operator.separator);
  const values = operator.isNamed
    ? `(?:${variables.map((variable) => namedValue(variable, operator)).join('|')})`
    : `(?:${operator.value}|[,=])*`;
  return `(?:${RE2JS.quote(operator.first)}${values}(?:${separator}${values})*)?`;
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
