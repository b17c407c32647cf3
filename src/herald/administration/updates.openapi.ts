import type { Operation, Operations } from '../../access/openapi/operation.js';
import { CREDENTIALS, CREDENTIALS_TO_CHANGE } from '../../access/openapi/refusals.js';
import { removalSchema, topicsSchema, type UpdatesController } from './updates.controller.js';
import { queryOf } from '../../access/openapi/checked-schemas.js';

const topics: Operation = {
  summary: 'The topics of held updates',
  access: 'admin',
  parameters: queryOf(topicsSchema, {
    prefix: 'What they begin with.',
    limit: 'How many at most.',
    from: 'What `next` said of the page before.',
  }),
  answers: {
    200: {
      description: 'A page of them, in an order that does not change.',
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['topics'],
            properties: {
              topics: {
                type: 'array',
                items: {
                  type: 'object',
                  required: ['topic', 'count', 'newest', 'subscribers'],
                  properties: {
                    topic: { type: 'string' },
                    count: { type: 'integer', description: 'How many held updates have it.' },
                    newest: {
                      type: 'object',
                      properties: { id: { type: 'string' }, time: { type: 'string', format: 'date-time' } },
                    },
                    subscribers: { type: 'integer', description: 'Readers of it at this process.' },
                  },
                },
              },
              next: { type: 'string', description: 'The value of `from` for the next page, where there is one.' },
            },
          },
        },
      },
    },
  },
  refusals: [
    ...CREDENTIALS,
    'insufficient-scope',
    'not-found',
    'criteria-invalid',
    'overloaded',
    'journal-unavailable',
  ],
  exchanges: {
    books: {
      summary: 'Those below an address',
      parameters: { prefix: 'https://example.com/books/', limit: 10 },
      answer: {
        status: 200,
        type: 'application/json',
        value: {
          topics: [
            {
              topic: 'https://example.com/books/1',
              count: 1,
              newest: { id: 'urn:uuid:2431a248-e0fc-4c96-835c-e8b3f4ad7e26', time: '2026-01-31T12:00:00.000Z' },
              subscribers: 1,
            },
          ],
        },
      },
    },
    none: {
      summary: 'A page without room for a topic',
      parameters: { limit: 0 },
      answer: {
        code: 'criteria-invalid',
        detail: 'The request is not understood: it may contain only prefix, limit and from.',
      },
    },
  },
};

const remove: Operation = {
  summary: 'Take updates out of the history for good',
  description: 'Exactly one criterion must be there.',
  access: 'admin',
  parameters: queryOf(removalSchema, {
    topic: 'Those with this topic.',
    id: 'The one with this id.',
    match_urlpattern: 'Those of which a topic matches this URL Pattern.',
  }),
  answers: {
    200: {
      description: 'They are gone.',
      content: {
        'application/json': {
          schema: { type: 'object', required: ['removed'], properties: { removed: { type: 'integer' } } },
        },
      },
    },
  },
  refusals: [
    ...CREDENTIALS_TO_CHANGE,
    'not-found',
    'criteria-missing',
    'criteria-invalid',
    'matcher-invalid',
    'matcher-too-long',
    'journal-unavailable',
  ],
  exchanges: {
    'of-a-user': {
      summary: 'Those of one topic',
      parameters: { topic: 'https://example.com/users/7' },
      answer: { status: 200, type: 'application/json', value: { removed: 0 } },
    },
    everything: {
      summary: 'The wildcard, which would take out everything',
      parameters: { topic: '*' },
      answer: {
        code: 'criteria-invalid',
        detail:
          'The request is not understood: it may contain only one of topic, id and match_urlpattern, and not the wildcard.',
      },
    },
    nothing: {
      summary: 'No criterion',
      answer: {
        code: 'criteria-missing',
        detail: 'Say which updates are meant: by one of "topic", "id" and "match_urlpattern".',
      },
    },
  },
};

export const UPDATES: Operations<UpdatesController> = { topics, remove };
