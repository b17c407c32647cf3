import { queryOf } from '../../access/openapi/checked-schemas.js';
import type { Exchange, Operation, Operations, Schema } from '../../access/openapi/operation.js';
import { CREDENTIALS_TO_CHANGE } from '../../access/openapi/refusals.js';
import { type DrainController, rebalanceSchema } from './drain.controller.js';

const STATE: Readonly<Record<string, Schema>> = {
  state: {
    enum: ['serving', 'announced', 'letting-go', 'drained'],
    description: 'Between `announced` and `letting-go` lies `HERALD_DRAIN_DELAY`.',
  },
  connections: { type: 'integer', description: 'Its open streams.' },
};

function json(description: string, properties: Readonly<Record<string, Schema>>): Operation['answers'] {
  const required = Object.keys(properties);
  return {
    200: { description, content: { 'application/json': { schema: { type: 'object', required, properties } } } },
  };
}

function ok(value: unknown): Exchange['answer'] {
  return { status: 200, type: 'application/json', value };
}

const REFUSALS = [...CREDENTIALS_TO_CHANGE, 'not-found', 'overloaded'] as const;

const drain: Operation = {
  summary: 'Have this process left alone',
  description:
    'Its readiness is 503 from now on. After `HERALD_DRAIN_DELAY` its streams end evenly over `HERALD_DRAIN_WINDOW`, with ' +
    'the notice `drain`, and those that come later end at once. It goes on: ending it is for whoever has started it.',
  access: 'admin',
  answers: json('It has begun, or had before.', STATE),
  refusals: REFUSALS,
  exchanges: {
    begun: { summary: 'A process without readers', answer: ok({ state: 'letting-go', connections: 0 }) },
  },
};

const resume: Operation = {
  summary: 'Have this process serve again',
  description: 'What has ended by then stays so.',
  access: 'admin',
  answers: json('It serves.', STATE),
  refusals: [...REFUSALS, 'drain-under-way'],
  exchanges: { serving: { summary: 'Taken back', answer: ok({ state: 'serving', connections: 0 }) } },
};

const rebalance: Operation = {
  summary: 'Let go of a share of the streams of this process',
  description:
    'They end evenly over `HERALD_DRAIN_WINDOW`, with the notice `drain`, so that other processes take their readers where ' +
    'a balancer prefers those with few connections.',
  access: 'admin',
  parameters: queryOf(rebalanceSchema, { share: 'Which part of them: `0.2` is every fifth.' }),
  answers: json('They are let go.', { lettingGo: { type: 'integer', description: 'How many.' } }),
  refusals: [...REFUSALS, 'criteria-invalid', 'drain-under-way'],
  exchanges: {
    'every-fifth': { summary: 'Of none', parameters: { share: 0.2 }, answer: ok({ lettingGo: 0 }) },
    'too-much': {
      summary: 'More than there are',
      parameters: { share: 2 },
      answer: {
        code: 'criteria-invalid',
        detail: 'The request is not understood: it may contain only share, which is above 0 and at most 1.',
      },
    },
  },
};

export const DRAINING: Operations<DrainController> = { drain, resume, rebalance };
