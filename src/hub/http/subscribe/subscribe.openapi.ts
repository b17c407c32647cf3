import type { HubErrorCode } from '../../../access/hub.errors.js';
import type { Exchange, Operation, Operations, Parameter, Schema } from '../../../access/openapi/operation.js';
import { BODY, CREDENTIALS } from '../../../access/openapi/refusals.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import type { SubscribeController } from './subscribe.controller.js';

const { exactTopics, patterns, matcherBytes, last, maxRate, heartbeat } = HUB_LIMITS;

/** A parameter that may come several times. */
function several(name: string, most: number, description: string): Parameter {
  const items = { type: 'string', minLength: 1, maxLength: matcherBytes };
  return { name, in: 'query', description, schema: { type: 'array', items, maxItems: most } };
}

/** What a subscription and a request for the history are for. At least one matcher must be there. */
export const MATCHERS: readonly Parameter[] = [
  several('match', exactTopics.count, 'A topic; `*` is every topic.'),
  several('match_exact', exactTopics.count, 'The same as `match`.'),
  several('match_urlpattern', patterns.count, 'A URL Pattern, absolute or relative to the URL of the hub.'),
];

/** How matchers are refused. */
export const OF_MATCHERS = [
  'encoding-invalid',
  'parameters-too-many',
  'matcher-missing',
  'matcher-unknown',
  'matcher-invalid',
  'matcher-too-long',
  'matchers-too-many',
  'matchers-too-costly',
] as const satisfies readonly HubErrorCode[];

/** Parameters in the query, as a form that the body of a `QUERY` has. */
export function formOf(parameters: readonly Parameter[]): Schema {
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const properties = inQuery.map(({ name, schema, description }) => [name, { ...schema, description }]);
  return { type: 'object', properties: Object.fromEntries(properties) };
}

const WISHES: readonly Parameter[] = [
  {
    name: 'last_event_id',
    in: 'query',
    description: 'The id after which to go on. The header `Last-Event-ID` counts before it.',
    schema: { type: 'string' },
  },
  {
    name: 'last',
    in: 'query',
    description: 'With how many of the newest updates to begin; only without an id.',
    schema: { type: 'integer', minimum: 1, maximum: last },
  },
  {
    name: 'begin',
    in: 'query',
    description: 'Begins with the newest update of each topic; only without an id, and not together with `last`.',
    schema: { enum: ['latest'] },
  },
  {
    name: 'max_rate',
    in: 'query',
    description: 'Offers in a second at most, each of the newest update of each topic.',
    schema: { type: 'number', minimum: maxRate.least, maximum: maxRate.most },
  },
  {
    name: 'heartbeat',
    in: 'query',
    description: 'Seconds of silence after which a comment comes.',
    schema: { type: 'number', minimum: heartbeat.least, maximum: heartbeat.most },
  },
  {
    name: 'with',
    in: 'query',
    description: '`topics` names the topics of each event; `notices` asks for notices of the hub.',
    schema: { type: 'array', items: { type: 'string' } },
  },
  {
    name: 'without',
    in: 'query',
    description: '`notices` asks for none.',
    schema: { type: 'array', items: { type: 'string' } },
  },
];

const LAST_EVENT_ID: Parameter = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'The id after which to go on, as browsers send it.',
  schema: { type: 'string' },
};

/** What the parser of an event stream gives (HTML Standard, 9.2.6). */
const EVENT: Schema = {
  type: 'object',
  required: ['data'],
  properties: {
    id: { type: 'string' },
    event: { type: 'string', description: '`herald` is a notice of the hub, and no update.' },
    data: { type: 'string' },
    retry: { type: 'integer', minimum: 0 },
  },
};

const answers: Operation['answers'] = {
  200: {
    description:
      'The stream of what is matched and may be read, until the hub or the client ends it. A stream for which there is ' +
      'no room, or whose begin can not be read for now, says so in a notice and ends: any other status would stop an ' +
      '`EventSource` for good.',
    headers: {
      'Herald-Heartbeat': 'Seconds of silence after which a comment comes.',
      'Herald-Process': 'The process that answers.',
      'Mercure-Last-Event-ID': 'The id after which the stream begins.',
    },
    content: { 'text/event-stream': { itemSchema: EVENT } },
  },
};

const REFUSALS = [
  ...CREDENTIALS,
  ...OF_MATCHERS,
  'not-acceptable',
  'last-invalid',
  'begin-invalid',
  'max-rate-invalid',
  'heartbeat-invalid',
  'connection-busy',
  'journal-unavailable',
] as const satisfies readonly HubErrorCode[];

const STREAM =
  'retry: 1387\nid: urn:uuid:2431a248-e0fc-4c96-835c-e8b3f4ad7e26\nevent: changed\ndata: {"title":"Dune"}\n\n';

const begins: Exchange['answer'] = { status: 200, type: 'text/event-stream', value: STREAM };

const get: Operation = {
  summary: 'Subscribe',
  description:
    'Opens a stream of Server-Sent Events. At least one matcher must be there. `HEAD` answers with the same headers and ' +
    'opens no stream. Where the 0.x dialect is switched on, `topic` is a matcher as well.',
  access: 'reader',
  parameters: [...MATCHERS, ...WISHES, LAST_EVENT_ID],
  answers,
  refusals: REFUSALS,
  exchanges: {
    'two-matchers': {
      summary: 'A topic and a pattern, from the newest two updates on',
      parameters: {
        match: ['https://example.com/books/1'],
        match_urlpattern: ['https://example.com/authors/:id'],
        last: 2,
      },
      answer: begins,
    },
    'with-wishes': {
      summary: 'The newest of each topic, twice a second at most',
      parameters: { match: ['*'], begin: 'latest', max_rate: 2, heartbeat: 4, with: ['topics'] },
      answer: begins,
    },
    'after-an-id': {
      summary: 'From an id on, also where the hub has never had it',
      parameters: { match: ['https://example.com/books/1'], 'Last-Event-ID': 'urn:book:1' },
      answer: begins,
    },
    'without-a-matcher': {
      summary: 'No matcher',
      answer: {
        code: 'matcher-missing',
        detail: 'A subscription needs at least one "match" or "match_urlpattern" parameter.',
      },
    },
    'too-many-of-the-newest': {
      summary: 'A number that is too large',
      parameters: { match: ['*'], last: last + 1 },
      answer: { code: 'last-invalid', detail: `"last" must be a number of updates, from 1 to ${last}.` },
    },
  },
};

const FORM = 'application/x-www-form-urlencoded';

const query: Operation = {
  summary: 'Subscribe, with what does not fit into a URL',
  description:
    `The safe method with a body (R5), which OpenAPI knows since 3.2. The parameters of the body, of at most ` +
    `${HUB_LIMITS.subscribeBytes} bytes, count together with those of the URL.`,
  access: 'reader',
  parameters: [LAST_EVENT_ID],
  body: { [FORM]: { schema: formOf([...MATCHERS, ...WISHES]) } },
  answers,
  refusals: [...REFUSALS, ...BODY],
  exchanges: {
    'two-topics': {
      summary: 'Two topics, from the newest update on',
      body: {
        type: FORM,
        value: { match: ['https://example.com/books/1', 'https://example.com/books/2'], last: 1 },
      },
      answer: begins,
    },
    'an-empty-matcher': {
      summary: 'A matcher without a topic',
      body: { type: FORM, value: { match: [''] } },
      answer: {
        code: 'matcher-invalid',
        detail:
          'A matcher is empty, and so could match nothing: look for a variable that is not set where it was made.',
      },
    },
  },
};

export const SUBSCRIBING: Operations<SubscribeController> = { get, query };
