import type { Operation, Operations, Schema } from '../../../access/openapi/operation.js';
import { CREDENTIALS } from '../../../access/openapi/refusals.js';
import { MATCHER_TYPES } from '../../matching/matcher.js';
import type { SubscriptionsController } from './subscriptions.controller.js';

const SUBSCRIPTION: Schema = {
  type: 'object',
  required: ['id', 'type', 'match_type', 'match', 'subscriber', 'active'],
  properties: {
    id: { type: 'string' },
    type: { const: 'subscription' },
    match_type: { enum: MATCHER_TYPES },
    match: { type: 'string' },
    subscriber: { type: 'string' },
    active: { type: 'boolean' },
    payload: { type: 'object', description: 'What the subscriber’s token says of it.' },
  },
};

const LIST: Schema = {
  type: 'object',
  required: ['id', 'type', 'subscriptions'],
  properties: {
    id: { type: 'string' },
    type: { const: 'subscriptions' },
    subscriptions: { type: 'array', items: SUBSCRIPTION },
  },
};

const TOPIC = 'https://example.com/books/1';

const SUBSCRIBER = 'urn:uuid:0ad159ef-f061-4b2e-9f9e-c8cf6c3de6b5';

/** A list with one subscription. */
function listAt(path: string): object {
  const id = ['', '.well-known', 'mercure', 'subscriptions', 'exact', ...[TOPIC, SUBSCRIBER].map(encodeURIComponent)];
  const subscription = {
    id: id.join('/'),
    type: 'subscription',
    match_type: 'exact',
    match: TOPIC,
    subscriber: SUBSCRIBER,
    active: true,
  };
  return { id: path, type: 'subscriptions', subscriptions: [subscription] };
}

const get: Operation = {
  summary: 'Who is subscribed',
  description:
    'All subscriptions, those with one matcher, or one subscriber’s with one matcher, for who may read the path itself; ' +
    'where `HERALD_SUBSCRIPTIONS` is switched on. In the 0.x dialect the parts of the path are a topic and a subscriber.',
  access: 'subscribe',
  parameters: [
    { name: 'first', in: 'path', description: 'The type of the matcher.', schema: { type: 'string' } },
    { name: 'second', in: 'path', description: 'The matcher, percent-encoded.', schema: { type: 'string' } },
    { name: 'third', in: 'path', description: 'The subscriber, percent-encoded.', schema: { type: 'string' } },
    { name: 'after', in: 'query', description: 'What the link to the next page says.', schema: { type: 'string' } },
    {
      name: 'If-None-Match',
      in: 'header',
      description: 'The `ETag` of what the client has already.',
      schema: { type: 'string' },
    },
  ],
  answers: {
    200: {
      description: 'The subscriptions, page by page, or the one that was asked for.',
      headers: {
        Link: 'The hub, with the id from which a reader hears of all that changes, and the next page.',
        ETag: 'The same id.',
      },
      content: {
        'application/json': { schema: { oneOf: [LIST, SUBSCRIPTION] } },
        'application/ld+json': { schema: { type: 'object' } },
      },
    },
    304: { description: 'Nothing has changed.' },
  },
  refusals: [...CREDENTIALS, 'insufficient-scope', 'matcher-unknown', 'not-found', 'overloaded', 'journal-unavailable'],
  exchanges: {
    everybody: {
      summary: 'All subscriptions',
      answer: { status: 200, type: 'application/json', value: listAt('/.well-known/mercure/subscriptions') },
    },
    'of-one-matcher': {
      summary: 'Everybody with this matcher',
      parameters: { first: 'exact', second: TOPIC },
      answer: {
        status: 200,
        type: 'application/json',
        value: listAt(`/.well-known/mercure/subscriptions/exact/${encodeURIComponent(TOPIC)}`),
      },
    },
    'an-unknown-type': {
      summary: 'A type of matchers that there is not',
      parameters: { first: 'regexp', second: '.*' },
      answer: { code: 'matcher-unknown', detail: `The matcher types are: ${MATCHER_TYPES.join(', ')}.` },
    },
    nobody: {
      summary: 'Somebody who is not subscribed',
      parameters: { first: 'exact', second: TOPIC, third: 'urn:nobody' },
      answer: { code: 'not-found', detail: 'There is nothing at this path.' },
    },
    'without-a-matcher': {
      summary: 'A type alone',
      parameters: { first: 'exact' },
      answer: { code: 'not-found', detail: 'There is nothing at this path.' },
    },
  },
};

export const SUBSCRIPTIONS: Operations<SubscriptionsController> = { get };
