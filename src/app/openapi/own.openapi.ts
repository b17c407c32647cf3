import type { Operation, Operations } from '../../access/openapi/operation.js';
import type { OpenApiController } from './openapi.controller.js';

const get: Operation = {
  summary: 'This document',
  description: 'Public: it says nothing that the documentation does not say.',
  access: 'anybody',
  answers: {
    200: {
      description: 'OpenAPI 3.2, which is the first that knows `QUERY` and the events of a stream.',
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['openapi', 'info', 'paths'],
            properties: { openapi: { type: 'string' }, info: { type: 'object' }, paths: { type: 'object' } },
          },
        },
      },
    },
  },
  refusals: ['overloaded'],
  exchanges: {
    document: {
      summary: 'Its beginning',
      answer: {
        status: 200,
        type: 'application/json',
        value: { openapi: '3.2.0', info: { title: 'Herald', version: '0.1.0' }, paths: {} },
      },
    },
  },
};

export const OWN: Operations<OpenApiController> = { get };
