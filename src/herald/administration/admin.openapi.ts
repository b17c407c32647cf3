import type { Exchange, Operation, Operations, Schema } from '../../access/openapi/operation.js';
import { BODY, CREDENTIALS, CREDENTIALS_TO_CHANGE } from '../../access/openapi/refusals.js';
import { type AdminController, dismissSchema, pageSchema, revocationSchema } from './admin.controller.js';
import { queryOf, schemaOf } from '../../access/openapi/checked-schemas.js';

const PROCESS: Schema = {
  type: 'object',
  required: ['id', 'host', 'version', 'startedAt', 'connections', 'isThis'],
  properties: {
    id: { type: 'string' },
    host: { type: 'string' },
    version: { type: 'string' },
    startedAt: { type: 'string', format: 'date-time' },
    connections: { type: 'integer', description: 'Its open streams.' },
    format: { type: 'integer', description: 'The format of the log that it reads.' },
    isThis: { type: 'boolean', description: 'Whether it is the one that answers.' },
  },
};

const CONNECTION: Schema = {
  type: 'object',
  required: ['id', 'requestId', 'address', 'age'],
  properties: {
    id: { type: 'integer' },
    requestId: { type: 'string' },
    address: { type: 'string' },
    subject: { type: 'string' },
    issuer: { type: 'string' },
    token: { type: 'string', description: 'The id of the token (`jti`).' },
    expiresAt: { type: 'number', description: 'Milliseconds since the epoch.' },
    age: { type: 'integer', description: 'Milliseconds.' },
    isFull: { type: 'boolean', description: 'Whether its client takes nothing for now.' },
    matcherCount: { type: 'integer' },
    cursor: { type: 'integer', description: 'The position in the log up to which it was offered everything.' },
    state: { type: 'string' },
    isLive: { type: 'boolean' },
  },
};

const MATCHER: Schema = {
  type: 'object',
  required: ['type', 'pattern'],
  properties: { type: { type: 'string' }, pattern: { type: 'string' } },
};

/** An answer that is a JSON object with these fields, all of which but `next` are always there. */
function json(description: string, properties: Readonly<Record<string, Schema>>): Operation['answers'] {
  const required = Object.keys(properties).filter((name) => name !== 'next');
  return {
    200: { description, content: { 'application/json': { schema: { type: 'object', required, properties } } } },
  };
}

function ok(value: unknown): Exchange['answer'] {
  return { status: 200, type: 'application/json', value };
}

/** How requests of administrators are refused. Without a key for administrators there is nothing at these paths. */
const OF_READERS = [...CREDENTIALS, 'insufficient-scope', 'not-found', 'criteria-invalid', 'overloaded'] as const;

const OF_WRITERS = [...CREDENTIALS_TO_CHANGE, 'not-found', 'criteria-missing', 'criteria-invalid'] as const;

const STREAM = {
  id: 1,
  requestId: 'req-2',
  address: '203.0.113.7',
  subject: 'alice',
  issuer: 'herald',
  age: 966,
  isFull: false,
  matcherCount: 1,
  cursor: 1,
  state: 'live',
  isLive: true,
};

const all: Operation = {
  summary: 'The processes of this hub that are alive',
  access: 'admin',
  answers: json('The processes.', { processes: { type: 'array', items: PROCESS } }),
  refusals: [...OF_READERS, 'journal-unavailable'],
  exchanges: {
    one: {
      summary: 'A hub of one process',
      answer: ok({
        processes: [
          {
            id: 'b0eb0cf704ee7df7',
            host: 'hub-1',
            version: '0.1.0',
            startedAt: '2026-01-31T12:00:00.000Z',
            connections: 1,
            isThis: true,
          },
        ],
      }),
    },
    'without-a-token': {
      summary: 'A request without a token',
      answer: { code: 'unauthorized', detail: "This needs an administrator's token." },
    },
    'not-an-administrator': {
      summary: 'Somebody else’s token',
      answer: { code: 'insufficient-scope', detail: 'The token does not grant the "admin" action.' },
    },
  },
};

const list: Operation = {
  summary: 'The open streams of this process',
  description: 'Oldest first: at most `limit`, and fewer where their tokens are long.',
  access: 'admin',
  parameters: queryOf(pageSchema, {
    limit: 'How many at most.',
    after: 'What `next` said of the page before.',
    subject: 'Only those of this subject.',
    issuer: 'Only those whose tokens are of this issuer.',
    token: 'Only those that were opened with the token of this id (`jti`).',
  }),
  answers: json('A page of them.', {
    connections: { type: 'array', items: CONNECTION },
    total: { type: 'integer', description: 'Of all, and not only those that were asked for.' },
    next: { type: 'integer', description: 'The value of `after` for the next page, where there is one.' },
  }),
  refusals: OF_READERS,
  exchanges: {
    'of-a-subject': {
      summary: 'Those of one subject',
      parameters: { subject: 'alice', limit: 10 },
      answer: ok({ connections: [STREAM], total: 1 }),
    },
    'too-many': {
      summary: 'More than there may be on a page',
      parameters: { limit: 100_000 },
      answer: {
        code: 'criteria-invalid',
        detail: 'The request is not understood: it may contain only limit, after, subject, issuer and token.',
      },
    },
  },
};

const one: Operation = {
  summary: 'An open stream of this process, with what it is subscribed to',
  access: 'admin',
  parameters: [{ name: 'id', in: 'path', description: 'Its number in the list.', schema: { type: 'integer' } }],
  answers: {
    200: {
      description: 'The stream.',
      content: {
        'application/json': {
          schema: { allOf: [CONNECTION], properties: { matchers: { type: 'array', items: MATCHER } } },
        },
      },
    },
  },
  refusals: OF_READERS,
  exchanges: {
    first: {
      summary: 'A stream',
      parameters: { id: 1 },
      answer: ok({ ...STREAM, matchers: [{ type: 'exact', pattern: 'https://example.com/books/1' }] }),
    },
    gone: {
      summary: 'A stream that has ended',
      parameters: { id: 999_999 },
      answer: { code: 'not-found', detail: 'There is no such connection (any more) at this process.' },
    },
  },
};

const DISCONNECTED = { disconnected: { type: 'integer', description: 'How many streams of this process have ended.' } };

const dismiss: Operation = {
  summary: 'End streams of this process',
  description:
    'A client with a valid token may connect again: revoke its token first. At least one criterion must be there.',
  access: 'admin',
  parameters: queryOf(dismissSchema, {
    subject: 'Those of this subject.',
    issuer: 'Those whose tokens are of this issuer.',
    token: 'Those that were opened with the token of this id (`jti`).',
    id: 'The one with this number in the list.',
  }),
  answers: json('They have been told to end.', DISCONNECTED),
  refusals: OF_WRITERS,
  exchanges: {
    'of-a-subject': {
      summary: 'Those of one subject',
      parameters: { subject: 'mallory' },
      answer: ok({ disconnected: 0 }),
    },
    everybody: {
      summary: 'No criterion',
      answer: {
        code: 'criteria-missing',
        detail: 'Say whose connections are meant: by subject, issuer, token or number.',
      },
    },
  },
};

const JSON_TYPE = 'application/json';

const revoke: Operation = {
  summary: 'Revoke tokens',
  description:
    'From now on they are refused, and the streams that were opened with them end, at all processes. At least one ' +
    'criterion must be there.',
  access: 'admin',
  body: { [JSON_TYPE]: { schema: schemaOf(revocationSchema) } },
  answers: json('They are revoked.', DISCONNECTED),
  refusals: [...OF_WRITERS, ...BODY, 'revocations-too-many', 'journal-unavailable'],
  exchanges: {
    'one-token': {
      summary: 'One token, until it would have expired',
      body: { type: JSON_TYPE, value: { jti: '9f20a6bf-e688-4616-bc89-3d3b9341c038', exp: 4_102_444_800 } },
      answer: ok({ disconnected: 0 }),
    },
    'of-a-subject': {
      summary: 'What somebody was given before a time',
      body: { type: JSON_TYPE, value: { subject: 'mallory', issued_before: 1_767_225_600 } },
      answer: ok({ disconnected: 0 }),
    },
    nothing: {
      summary: 'No criterion',
      body: { type: JSON_TYPE, value: {} },
      answer: {
        code: 'criteria-missing',
        detail: 'Say which tokens are meant: by their id, issuer, subject or time of issue.',
      },
    },
  },
};

export const ADMINISTRATION: Operations<AdminController> = { all, list, one, dismiss, revoke };
