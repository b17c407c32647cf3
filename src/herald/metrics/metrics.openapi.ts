import type { Operation, Operations } from '../../access/openapi/operation.js';
import { CREDENTIALS } from '../../access/openapi/refusals.js';
import type { MetricsController } from './metrics.controller.js';

const TEXT = { schema: { type: 'string' } };

const scrape: Operation = {
  summary: 'Metrics for Prometheus',
  description:
    'Needs no token at the internal listener (`HERALD_INTERNAL_LISTEN`). OpenMetrics is answered to who accepts ' +
    '`application/openmetrics-text`.',
  access: 'admin',
  answers: {
    200: { description: 'All metrics.', content: { 'text/plain': TEXT, 'application/openmetrics-text': TEXT } },
  },
  refusals: [...CREDENTIALS, 'insufficient-scope', 'not-found', 'overloaded'],
  exchanges: {
    all: {
      summary: 'The text format of Prometheus',
      answer: {
        status: 200,
        type: 'text/plain',
        value: '# TYPE herald_streams_open gauge\nherald_streams_open 1\n',
      },
    },
    'without-a-token': {
      summary: 'A request without a token',
      answer: { code: 'unauthorized', detail: "This needs an administrator's token." },
    },
  },
};

export const METRICS: Operations<MetricsController> = { scrape };
