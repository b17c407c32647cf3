import type { Answer, Operation, Operations, Schema } from '../../access/openapi/operation.js';
import type { HealthController } from './health.controller.js';

const CHECKS: Schema = {
  type: 'object',
  additionalProperties: {
    type: 'object',
    required: ['status'],
    properties: { status: { enum: ['up', 'down'] }, message: { type: 'string' } },
  },
};

function answer(description: string, status: 'ok' | 'error'): Answer {
  const properties = { status: { const: status }, info: CHECKS, error: CHECKS, details: CHECKS };
  const schema = { type: 'object', required: ['status', 'details'], properties };
  return { description, content: { 'application/json': { schema } } };
}

const live: Operation = {
  summary: 'Whether the process answers at all',
  description: 'Restart it otherwise.',
  access: 'anybody',
  answers: { 200: answer('It does.', 'ok') },
  refusals: [],
  exchanges: {
    alive: {
      summary: 'A process that answers',
      answer: { status: 200, type: 'application/json', value: { status: 'ok', info: {}, error: {}, details: {} } },
    },
  },
};

const UP = { process: { status: 'up' }, journal: { status: 'up' } };

const ready: Operation = {
  summary: 'Whether to send the process traffic',
  access: 'anybody',
  answers: {
    200: answer('It takes requests.', 'ok'),
    503: answer(
      'It is stopping or drained, or its journal is away: send it no traffic, and do not restart it either.',
      'error',
    ),
  },
  refusals: [],
  exchanges: {
    ready: {
      summary: 'A process that takes requests',
      answer: {
        status: 200,
        type: 'application/json',
        value: { status: 'ok', info: UP, error: {}, details: UP },
      },
    },
  },
};

export const HEALTH: Operations<HealthController> = { live, ready };
