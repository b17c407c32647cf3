import type { Operation, Operations } from '../../access/openapi/operation.js';
import { CREDENTIALS } from '../../access/openapi/refusals.js';
import type { EventsController } from '../../events/events.controller.js';

const stream: Operation = {
  summary: 'The server’s time',
  description: 'At once, and then in every interval, as Server-Sent Events.',
  access: 'events',
  answers: {
    200: {
      description: 'The stream, until the service or the client ends it.',
      content: {
        'text/event-stream': {
          itemSchema: {
            type: 'object',
            required: ['data'],
            properties: {
              id: { type: 'string' },
              data: {
                type: 'string',
                contentMediaType: 'application/json',
                contentSchema: { type: 'object', properties: { timestamp: { type: 'string', format: 'date-time' } } },
              },
            },
          },
        },
      },
    },
  },
  refusals: CREDENTIALS,
  exchanges: {
    time: {
      summary: 'The time',
      answer: {
        status: 200,
        type: 'text/event-stream',
        value: 'id: 1\ndata: {"timestamp":"2026-01-31T12:00:00.000Z"}\n\n',
      },
    },
  },
};

export const EVENTS: Operations<EventsController> = { stream };
