import { answerOf, type HubErrorCode, problemOf } from '../../access/hub.errors.js';
import type { Access, Answer, Contents, Exchange, Operation, Parameter } from '../../access/openapi/operation.js';
import { RETRY_AFTER } from '../../shared/http/problem.js';

/** What the settings of this process decide. */
export interface Facts {
  /** Whether readers need no token. */
  readonly anonymous: boolean;
  /** Whether the stream of the time is for readers alone. */
  readonly protectsEvents: boolean;
}

/** A part of the document. */
type Part = Readonly<Record<string, unknown>>;

type Examples = Readonly<Record<string, { readonly summary: string; readonly value: unknown }>>;

const PROBLEM = 'application/problem+json';

/** An operation as the document has it, at one of its paths: a handler of several has the examples of each there. */
export function describe(path: string, operation: Operation, facts: Facts): Part {
  const { summary, description, access, parameters = [], body } = operation;
  const here = parameters.filter(({ in: place, name }) => place !== 'path' || path.includes(`{${name}}`));
  const inPath = new Set(here.filter((one) => one.in === 'path').map(({ name }) => name));
  const exchanges = Object.entries(operation.exchanges).filter(([, exchange]) => isAt(exchange, inPath, parameters));
  return {
    summary,
    ...(description !== undefined && { description }),
    security: securityOf(access, facts),
    ...(here.length > 0 && { parameters: here.map((one) => parameterOf(one, exchanges)) }),
    ...(body && { requestBody: { required: true, content: contentOf(body, (type) => bodies(exchanges, type)) } }),
    responses: responsesOf(operation, exchanges),
  };
}

type Named = readonly [name: string, exchange: Exchange];

/** Whether an exchange is about a path with these parameters, of all that a handler's paths have. */
function isAt({ parameters: given = {} }: Exchange, inPath: ReadonlySet<string>, all: readonly Parameter[]): boolean {
  return all.every(({ in: place, name }) => place !== 'path' || name in given === inPath.has(name));
}

/** A token with the action of the access, in the header or in the cookie. */
function securityOf(access: Access, { anonymous, protectsEvents }: Facts): readonly Part[] {
  if (access === 'anybody' || (access === 'events' && !protectsEvents)) return [];
  const isReader = access === 'reader' || access === 'events';
  const action = isReader ? 'subscribe' : access;
  return [{ bearer: [action] }, { cookie: [action] }, ...(isReader && anonymous ? [{}] : [])];
}

function parameterOf({ required, ...parameter }: Parameter, exchanges: readonly Named[]): Part {
  const { name } = parameter;
  const examples = examplesOf(exchanges, ({ parameters = {} }) => (name in parameters ? [parameters[name]] : []));
  return { ...parameter, required: required ?? parameter.in === 'path', ...examples };
}

function bodies(exchanges: readonly Named[], type: string): Part {
  return examplesOf(exchanges, ({ body }) => (body?.type === type ? [body.value] : []));
}

function examplesOf(
  exchanges: readonly Named[],
  valueOf: (exchange: Exchange) => readonly unknown[],
): { readonly examples?: Examples } {
  const examples = exchanges.flatMap(([name, exchange]) =>
    valueOf(exchange).map((value) => [name, { summary: exchange.summary, value }] as const),
  );
  return examples.length > 0 ? { examples: Object.fromEntries(examples) } : {};
}

function contentOf(contents: Contents, examples: (type: string) => Part): Part {
  return Object.fromEntries(
    Object.entries(contents).map(([type, content]) => [type, { ...content, ...examples(type) }]),
  );
}

function responsesOf({ answers, refusals }: Operation, exchanges: readonly Named[]): Part {
  const good = Object.entries(answers).map(([status, answer]) => [status, responseOf(status, answer, exchanges)]);
  const statuses = new Set(refusals.map((code) => answerOf(code).status));
  const bad = [...statuses].map((status) => {
    const codes = [...new Set(refusals)].filter((code) => answerOf(code).status === status);
    return [status, refusalOf(status, codes, exchanges)];
  });
  return { ...Object.fromEntries([...good, ...bad]), default: { $ref: '#/components/responses/Refusal' } } as Part;
}

function responseOf(status: string, { description, headers = {}, content }: Answer, exchanges: readonly Named[]): Part {
  const answered = (type: string): Part =>
    examplesOf(exchanges, ({ answer }) =>
      'status' in answer && answer.type === type && String(answer.status) === status ? [answer.value] : [],
    );
  return { description, ...headersOf(headers), ...(content && { content: contentOf(content, answered) }) };
}

function headersOf(headers: Readonly<Record<string, string>>): Part {
  const described = Object.entries(headers).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  return described.length > 0 ? { headers: Object.fromEntries(described) as Part } : {};
}

function refusalOf(status: number, codes: readonly HubErrorCode[], exchanges: readonly Named[]): Part {
  const examples = examplesOf(exchanges, ({ answer }) =>
    'code' in answer && codes.includes(answer.code) ? [problemOf(answer.code, answer.detail)] : [],
  );
  const headers = {
    ...(codes.some((code) => answerOf(code).challenge !== undefined) && {
      'WWW-Authenticate': 'What is wrong with the token, and where it says how to get one (RFC 6750, RFC 9728).',
    }),
    ...(RETRY_AFTER[status] !== undefined && { 'Retry-After': 'Seconds after which to try again.' }),
  };
  return {
    description: `Refused: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
    ...headersOf(headers),
    content: { [PROBLEM]: { schema: problemSchema(codes), ...examples } },
  };
}

/** A problem with one of these codes. */
export function problemSchema(codes: readonly HubErrorCode[]): Part {
  return {
    allOf: [{ $ref: '#/components/schemas/Problem' }],
    required: ['code'],
    properties: { code: { enum: codes } },
  };
}
