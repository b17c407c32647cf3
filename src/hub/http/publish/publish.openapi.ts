import type { HubErrorCode } from '../../../access/hub.errors.js';
import type { Operation, Operations, Schema } from '../../../access/openapi/operation.js';
import { BODY, CREDENTIALS_TO_CHANGE } from '../../../access/openapi/refusals.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import type { PublishController } from './publish.controller.js';

const topic: Schema = { type: 'string', minLength: 1, maxLength: HUB_LIMITS.topicBytes };

const topics: Schema = { type: 'array', items: topic, minItems: 1, maxItems: HUB_LIMITS.topics };

const key: Schema = { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' };

const id: Schema = {
  type: 'string',
  maxLength: HUB_LIMITS.idLength,
  description: 'Visible ASCII; the hub makes one where there is none.',
};

const type: Schema = { type: 'string', maxLength: HUB_LIMITS.typeLength, description: 'The type of the event.' };

const retry: Schema = {
  type: 'integer',
  minimum: 0,
  maximum: HUB_LIMITS.retryMilliseconds,
  description: 'Milliseconds after which clients are to reconnect.',
};

/** An update as a form has it (R29–R36). */
const form: Schema = {
  type: 'object',
  required: ['topic'],
  properties: {
    topic: { ...topics, description: 'May come several times: the first one is the canonical one.' },
    data: { type: 'string' },
    private: { type: 'string', description: 'Makes the update private by being there, whatever it says.' },
    id,
    type,
    retry,
  },
};

/** An update as JSON has it. */
export const UPDATE: Schema = {
  type: 'object',
  anyOf: [{ required: ['topic'] }, { required: ['topics'] }],
  properties: {
    topic: { anyOf: [topic, topics], description: 'One topic, or several.' },
    topics: { ...topics, description: 'Further topics where there is a "topic", which then is the canonical one.' },
    data: { description: 'A string is published as it is, and anything else as its JSON text.' },
    private: { type: 'boolean', description: 'Whether only those get it whose token allows it.' },
    id,
    type,
    retry,
    key: { ...key, description: 'The idempotency key: the same key again stores nothing.' },
  },
};

/** How an update is refused, alone or in a batch. */
const OF_AN_UPDATE = [
  'topic-missing',
  'topic-invalid',
  'topic-reserved',
  'topic-too-long',
  'topics-too-many',
  'id-invalid',
  'id-too-long',
  'type-invalid',
  'type-too-long',
  'retry-invalid',
  'data-invalid',
  'idempotency-key-invalid',
  'idempotency-key-conflict',
  'rate-limited',
  'journal-unavailable',
  'journal-full',
] as const satisfies readonly HubErrorCode[];

const publish: Operation = {
  summary: 'Publish an update',
  description: 'Answers with the id of the update once it is stored.',
  access: 'publish',
  parameters: [
    {
      name: 'Idempotency-Key',
      in: 'header',
      description: 'The same key again stores nothing, and is answered with the first id.',
      schema: key,
    },
  ],
  body: { 'application/x-www-form-urlencoded': { schema: form }, 'application/json': { schema: UPDATE } },
  answers: {
    200: { description: 'The id of the update.', content: { 'text/plain': { schema: { type: 'string' } } } },
  },
  refusals: [...CREDENTIALS_TO_CHANGE, ...BODY, ...OF_AN_UPDATE, 'encoding-invalid', 'fields-too-many', 'json-invalid'],
  exchanges: {
    'as-a-form': {
      summary: 'A private update',
      body: {
        type: 'application/x-www-form-urlencoded',
        value: { topic: ['https://example.com/books/1'], data: '{"title":"Dune"}', private: 'on', id: 'urn:book:1' },
      },
      answer: { status: 200, type: 'text/plain', value: 'urn:book:1' },
    },
    'as-json': {
      summary: 'An update with two topics',
      parameters: { 'Idempotency-Key': 'order-1' },
      body: {
        type: 'application/json',
        value: {
          topic: 'https://example.com/books/1',
          topics: ['https://example.com/authors/7'],
          data: { title: 'Dune' },
          type: 'changed',
        },
      },
      answer: { status: 200, type: 'text/plain', value: 'urn:uuid:2431a248-e0fc-4c96-835c-e8b3f4ad7e26' },
    },
    'without-a-topic': {
      summary: 'An update without a topic',
      body: { type: 'application/json', value: { data: 'for nobody' } },
      answer: { code: 'topic-missing', detail: 'An update needs at least one topic.' },
    },
    'without-a-token': {
      summary: 'A request without a token',
      body: { type: 'application/json', value: { topic: 'https://example.com/books/1' } },
      answer: {
        code: 'unauthorized',
        detail: 'Publishing needs a token: send it as "Authorization: Bearer …".',
      },
    },
    'of-another-topic': {
      summary: 'A token for other topics',
      body: { type: 'application/json', value: { topic: 'https://example.com/users/1' } },
      answer: {
        code: 'insufficient-scope',
        detail: 'The token does not grant publishing to every topic of this update.',
      },
    },
    'another-update-with-the-key': {
      summary: 'A key that was used for another update',
      parameters: { 'Idempotency-Key': 'order-1' },
      body: { type: 'application/json', value: { topic: 'https://example.com/books/2' } },
      answer: {
        code: 'idempotency-key-conflict',
        detail: 'This Idempotency-Key was used before, with another update.',
      },
    },
  },
};

/** A line of the answer to a batch. */
const outcome: Schema = {
  oneOf: [
    { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
    {
      type: 'object',
      required: ['error'],
      properties: {
        error: {
          type: 'object',
          required: ['code', 'detail'],
          properties: {
            code: {
              enum: [...OF_AN_UPDATE, 'batch-line-invalid', 'body-too-large', 'insufficient-scope', 'internal-error'],
            },
            detail: { type: 'string' },
            errorId: { type: 'string', description: 'Also in the log, where the hub failed.' },
          },
        },
      },
    },
    {
      type: 'object',
      required: ['end'],
      properties: { end: { enum: ['drain', 'idle', 'expired', 'revoked', 'overloaded'] } },
      description: 'Why the hub ends the batch before its body does.',
    },
  ],
};

const publishBatch: Operation = {
  summary: 'Publish many updates',
  description:
    'Reads, stores and answers line by line, in order, while the body comes. A line that is refused stops no other: it ' +
    'has a line of its own in the answer.',
  access: 'publish',
  body: { 'application/x-ndjson': { itemSchema: UPDATE } },
  answers: {
    200: {
      description: 'A line for each line, in their order.',
      content: { 'application/x-ndjson': { itemSchema: outcome } },
    },
  },
  refusals: [...CREDENTIALS_TO_CHANGE, 'media-type-unsupported', 'idempotency-key-invalid', 'overloaded'],
  exchanges: {
    'two-lines': {
      summary: 'An update, and a line that is none',
      body: {
        type: 'application/x-ndjson',
        value: '{"topic":"https://example.com/books/1","data":{"title":"Dune"}}\n{"topic":"*"}\n',
      },
      answer: {
        status: 200,
        type: 'application/x-ndjson',
        value:
          '{"id":"urn:uuid:2431a248-e0fc-4c96-835c-e8b3f4ad7e26"}\n' +
          '{"error":{"code":"topic-reserved","detail":"The topic \\"*\\" is the wildcard of subscribers: it cannot be published to."}}\n',
      },
    },
    'without-a-token': {
      summary: 'A request without a token',
      body: { type: 'application/x-ndjson', value: '{"topic":"https://example.com/books/1"}\n' },
      answer: {
        code: 'unauthorized',
        detail: 'Publishing needs a token: send it as "Authorization: Bearer …".',
      },
    },
  },
};

export const PUBLISHING: Operations<PublishController> = { publish, publishBatch };
