import type { Operation, Operations } from '../../access/openapi/operation.js';
import type { DeveloperTokensController } from './developer-tokens.controller.js';

const give: Operation = {
  summary: 'Tokens for the console',
  description: 'Only in development with keys that the service made up, and only to its own page, opened as localhost.',
  access: 'anybody',
  answers: {
    200: {
      description: 'Tokens that allow publishing and reading every topic for an hour.',
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['publish', 'subscribe'],
            properties: { publish: { type: 'string' }, subscribe: { type: 'string' } },
          },
        },
      },
    },
  },
  refusals: ['origin-refused', 'not-found'],
  exchanges: {
    'from-elsewhere': {
      summary: 'A request that does not come from the page',
      answer: {
        code: 'origin-refused',
        detail: 'Tokens for development go to the service’s own page, opened as localhost.',
      },
    },
  },
};

export const DEVELOPER_TOKENS: Operations<DeveloperTokensController> = { give };
