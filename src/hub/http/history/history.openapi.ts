import type { HubErrorCode } from '../../../access/hub.errors.js';
import type { Operation, Operations, Parameter, Schema } from '../../../access/openapi/operation.js';
import { BODY, CREDENTIALS } from '../../../access/openapi/refusals.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import { formOf, MATCHERS, OF_MATCHERS } from '../subscribe/subscribe.openapi.js';
import type { HistoryController } from './history.controller.js';

const PAGE: readonly Parameter[] = [
  { name: 'after', in: 'query', description: 'Only what came after this id.', schema: { type: 'string' } },
  { name: 'before', in: 'query', description: 'Only what came before this id.', schema: { type: 'string' } },
  {
    name: 'order',
    in: 'query',
    description: '`asc` for the oldest first, `desc` for the newest first. Default: `asc` with `after`, else `desc`.',
    schema: { enum: ['asc', 'desc'] },
  },
  {
    name: 'limit',
    in: 'query',
    description: 'How many updates at most.',
    schema: { type: 'integer', minimum: 1, maximum: HUB_LIMITS.history.updates, default: 100 },
  },
];

const UPDATE: Schema = {
  type: 'object',
  required: ['id', 'topics', 'data', 'private'],
  properties: {
    id: { type: 'string' },
    topics: {
      type: 'array',
      items: { type: 'string' },
      description: 'Those that were asked for, and the canonical one.',
    },
    type: { type: 'string' },
    data: { type: 'string' },
    private: { type: 'boolean' },
    time: { type: 'string', format: 'date-time', description: 'When it was stored, where that is known.' },
  },
};

const answers: Operation['answers'] = {
  200: {
    description: 'The updates that are matched and may be read. There is a next page as long as there is a `Link`.',
    headers: { Link: 'The next page, with `rel="next"`.' },
    content: {
      'application/json': { schema: { type: 'array', items: UPDATE } },
      'application/x-ndjson': { itemSchema: UPDATE },
    },
  },
};

const REFUSALS = [
  ...CREDENTIALS,
  ...OF_MATCHERS,
  'parameter-invalid',
  'last-invalid',
  'begin-invalid',
  'max-rate-invalid',
  'heartbeat-invalid',
  'id-not-held',
  'overloaded',
  'journal-unavailable',
] as const satisfies readonly HubErrorCode[];

const HELD = [
  {
    id: 'urn:uuid:2431a248-e0fc-4c96-835c-e8b3f4ad7e26',
    topics: ['https://example.com/books/1'],
    type: 'changed',
    data: '{"title":"Dune"}',
    private: false,
    time: '2026-01-31T12:00:00.000Z',
  },
];

const get: Operation = {
  summary: 'Held updates',
  description: 'At least one matcher must be there. Lines are answered to who accepts `application/x-ndjson`.',
  access: 'reader',
  parameters: [...MATCHERS, ...PAGE],
  answers,
  refusals: REFUSALS,
  exchanges: {
    'the-newest': {
      summary: 'The newest ten of a topic',
      parameters: { match: ['https://example.com/books/1'], limit: 10 },
      answer: { status: 200, type: 'application/json', value: HELD },
    },
    'the-oldest': {
      summary: 'The oldest update with a topic of a pattern',
      parameters: { match_urlpattern: ['https://example.com/books/:id'], order: 'asc', limit: 1 },
      answer: { status: 200, type: 'application/json', value: HELD },
    },
    'after-an-unknown-id': {
      summary: 'An id that is not held',
      parameters: { match: ['*'], after: 'urn:unknown' },
      answer: { code: 'id-not-held', detail: 'There is no update with this id in the history (any more).' },
    },
    'another-order': {
      summary: 'An order that there is not',
      parameters: { match: ['*'], order: 'random' },
      answer: {
        code: 'parameter-invalid',
        detail: '"order" must be "asc" for the oldest first or "desc" for the newest first.',
      },
    },
  },
};

const FORM = 'application/x-www-form-urlencoded';

const query: Operation = {
  summary: 'Held updates, with what does not fit into a URL',
  description: 'The parameters of the body count together with those of the URL.',
  access: 'reader',
  body: { [FORM]: { schema: formOf([...MATCHERS, ...PAGE]) } },
  answers,
  refusals: [...REFUSALS, ...BODY],
  exchanges: {
    'two-topics': {
      summary: 'Two topics',
      body: { type: FORM, value: { match: ['https://example.com/books/1', 'https://example.com/books/2'] } },
      answer: { status: 200, type: 'application/json', value: HELD },
    },
    'without-a-matcher': {
      summary: 'No matcher',
      body: { type: FORM, value: { limit: 10 } },
      answer: {
        code: 'matcher-missing',
        detail: 'A subscription needs at least one "match" or "match_urlpattern" parameter.',
      },
    },
  },
};

export const HISTORY: Operations<HistoryController> = { get, query };
