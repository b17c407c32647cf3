import { queryOf } from '../../access/openapi/checked-schemas.js';
import type { Operation, Operations, Schema } from '../../access/openapi/operation.js';
import { CREDENTIALS } from '../../access/openapi/refusals.js';
import { VERDICTS } from '../../hub/explain/verdict.js';
import { type ExplainController, explainSchema } from './explain.controller.js';

const MATCHER: Schema = {
  type: 'object',
  required: ['type', 'pattern'],
  properties: { type: { type: 'string' }, pattern: { type: 'string' } },
};

const EXPLANATION: Schema = {
  type: 'object',
  required: ['verdict', 'summary', 'connection', 'cursor'],
  properties: {
    verdict: { type: 'string', enum: VERDICTS },
    summary: { type: 'string', description: 'The same as a sentence.' },
    connection: { type: 'object', description: 'As in the list of connections.' },
    update: { type: 'object', description: 'What is held of the update.' },
    match: {
      type: 'object',
      required: ['isMatched'],
      properties: {
        isMatched: { type: 'boolean' },
        by: { type: 'object', properties: { matcher: MATCHER, topic: { type: 'string' } } },
        nearMisses: { type: 'array', items: { type: 'object' } },
      },
    },
    grant: {
      type: 'object',
      required: ['isGranted', 'by'],
      properties: { isGranted: { type: 'boolean' }, by: { anyOf: [{ enum: ['public', 'grants'] }, MATCHER] } },
    },
    cursor: {
      type: 'object',
      required: ['position', 'began', 'state'],
      properties: {
        position: { type: 'integer' },
        began: { type: 'integer' },
        state: { type: 'string' },
        head: { type: 'integer' },
      },
    },
    written: { type: 'object', description: 'Between which times, where it was written.' },
  },
};

const explain: Operation = {
  summary: 'Why a connection of this process has got an update, or has not',
  description: 'Say which update by `id` or `topic`, and whose connection by `connection` or `subject`.',
  access: 'admin',
  parameters: queryOf(explainSchema, {
    id: 'The update with this id.',
    topic: 'The newest updates with this topic.',
    connection: 'The connection with this number, also one that ended lately.',
    subject: 'The newest connections of this subject.',
    issuer: 'Whose subject it is, where several issuers are trusted.',
  }),
  answers: {
    200: {
      description: 'An explanation for each update and connection.',
      headers: { 'Herald-Process': 'The process that has answered.' },
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['process', 'summary', 'explanations'],
            properties: {
              process: { type: 'string' },
              summary: { type: 'string' },
              explanations: { type: 'array', items: EXPLANATION },
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
    'criteria-missing',
    'criteria-invalid',
    'journal-unavailable',
  ],
  exchanges: {
    'came-later': {
      summary: 'A connection that began after the update',
      parameters: { id: 'urn:book:0', connection: 1 },
      answer: {
        status: 200,
        type: 'application/json',
        value: {
          process: 'b0eb0cf704ee7df7',
          summary: 'The update came before this connection began, so it was not meant for it.',
          explanations: [
            {
              verdict: 'before-start',
              summary: 'The update came before this connection began, so it was not meant for it.',
              connection: { id: 1, requestId: 'tLhJ1UeFXr6x-2', address: '203.0.113.7', subject: 'alice' },
              update: { id: 'urn:book:0', topics: ['https://example.com/books/1'], topicCount: 1, private: false },
              match: {
                isMatched: true,
                by: {
                  matcher: { type: 'exact', pattern: 'https://example.com/books/1' },
                  topic: 'https://example.com/books/1',
                },
              },
              grant: { isGranted: true, by: 'public' },
              cursor: { position: 1, began: 1, state: 'live', head: 1 },
            },
          ],
        },
      },
    },
    nobody: {
      summary: 'No connection is named',
      parameters: { id: 'urn:book:0' },
      answer: {
        code: 'criteria-missing',
        detail: 'Say whose connection is meant: by "connection" or "subject".',
      },
    },
  },
};

export const EXPLAINING: Operations<ExplainController> = { explain };
