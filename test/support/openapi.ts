import { addFormats, Ajv2020, type ValidateFunction } from './ajv.js';

/** The parts of an OpenAPI document that tests read. */
export interface ApiDocument {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>;
}

interface Examples {
  readonly examples?: Readonly<Record<string, { readonly summary?: string; readonly value: unknown }>>;
}

interface Content extends Examples {
  readonly schema?: object;
  readonly itemSchema?: object;
}

type Contents = Readonly<Record<string, Content>>;

interface ApiParameter extends Examples {
  readonly name: string;
  readonly in: string;
}

interface ApiOperation {
  readonly operationId: string;
  readonly summary?: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly ApiParameter[];
  readonly requestBody?: { readonly content: Contents };
  readonly responses: Readonly<Record<string, { readonly content?: Contents }>>;
}

/** Where in the document something stands, part by part. */
type Place = readonly (string | number)[];

/** An example with the place of what it is an example of. */
interface Placed {
  readonly place: Place;
  readonly value: unknown;
}

/** What is asked and answered by all examples of an operation with one name. */
export interface ExampleExchange {
  readonly path: string;
  readonly method: string;
  readonly name: string;
  /** The action that a token must grant, where one is needed or taken. */
  readonly action: string | undefined;
  readonly parameters: readonly (Placed & { readonly name: string; readonly in: string })[];
  readonly body: (Placed & { readonly type: string }) | undefined;
  /** Exactly one, if the document is right. */
  readonly answers: readonly (Placed & { readonly status: number; readonly type: string })[];
}

/** All operations of a document. */
export function operationsOf({ paths }: ApiDocument): { path: string; method: string; operation: ApiOperation }[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
}

/** All exchanges of a document: examples of an operation that have the same name belong together. */
export function exchangesOf(document: ApiDocument): ExampleExchange[] {
  return operationsOf(document).flatMap(({ path, method, operation }) => {
    const { parameters = [], requestBody, responses, security } = operation;
    const root = ['paths', path, method];
    const asked = parameters.flatMap(({ name, in: place, examples }, at) =>
      named(examples, [...root, 'parameters', at]).map((one) => Object.assign(one, { name, in: place })),
    );
    const sent = contents(requestBody?.content, [...root, 'requestBody']);
    const answered = Object.entries(responses).flatMap(([status, { content }]) =>
      contents(content, [...root, 'responses', status]).map((one) => Object.assign(one, { status: Number(status) })),
    );
    const names = new Set([...asked, ...sent, ...answered].map(({ example }) => example));
    return [...names].map((name) => ({
      path,
      method: method.toUpperCase(),
      name,
      action: security?.flatMap(({ bearer = [] }) => bearer)[0],
      parameters: asked.filter(({ example }) => example === name),
      body: sent.find(({ example }) => example === name),
      answers: answered.filter(({ example }) => example === name),
    }));
  });
}

function contents(given: Contents = {}, place: Place): (Placed & { type: string; example: string })[] {
  return Object.entries(given).flatMap(([type, { examples }]) =>
    named(examples, [...place, 'content', type]).map((one) => Object.assign(one, { type })),
  );
}

function named(examples: Examples['examples'] = {}, place: Place): (Placed & { example: string })[] {
  return Object.entries(examples).map(([example, { value }]) => ({ example, value, place }));
}

/** Says whether values fit the schemas of a document. */
export class Schemas {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(private readonly document: ApiDocument) {
    addFormats(this.ajv);
    this.ajv.addSchema({ ...document, $id: 'document' });
  }

  /** What is wrong with a value by the schema that stands at a place; undefined for a sequence, which has no schema. */
  mistakes(place: Place, value: unknown): unknown {
    const isSequence = this.at([...place, 'itemSchema']) !== undefined;
    const keyword = isSequence ? 'itemSchema' : 'schema';
    if (this.at([...place, keyword]) === undefined) return `there is no schema at ${place.join(' ')}`;
    const pointer = [...place, keyword].map((part) => encodeURIComponent(pointerPart(part))).join('/');
    const validate = this.ajv.compile({ $ref: `document#/${pointer}` });
    const values = isSequence ? itemsOf(value) : [value];
    return values.flatMap((one) => mistakesOf(validate, one));
  }

  private at(place: Place): unknown {
    return place.reduce<unknown>(
      (value, part) => (value as Record<string, unknown> | undefined)?.[part],
      this.document,
    );
  }
}

function mistakesOf(validate: ValidateFunction, value: unknown): unknown[] {
  return validate(value) ? [] : [{ value, mistakes: validate.errors }];
}

function pointerPart(part: string | number): string {
  return String(part).replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The lines or events of a sequence: what has been read already, or a text. */
function itemsOf(value: unknown): unknown[] {
  if (typeof value !== 'string') return value as unknown[];
  if (value.startsWith('{'))
    return value
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown);
  return value.split('\n\n').filter(Boolean).map(eventOf);
}

/** An event of an example, by its fields. */
function eventOf(text: string): object {
  const fields = text.split('\n').map((line) => /^(\w+): (.*)$/.exec(line)?.slice(1) ?? ['', '']);
  return Object.fromEntries(fields.map(([name = '', value = '']) => [name, name === 'retry' ? Number(value) : value]));
}
