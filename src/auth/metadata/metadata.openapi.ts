import type { Operation, Operations } from '../../access/openapi/operation.js';
import type { MetadataController } from './metadata.controller.js';

const metadata: Operation = {
  summary: 'What a client must know to get a token',
  description: 'Protected resource metadata (RFC 9728).',
  access: 'anybody',
  answers: {
    200: {
      description: 'The metadata.',
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['resource', 'authorization_details_types_supported', 'bearer_methods_supported'],
            properties: {
              resource: { type: 'string', format: 'uri', description: 'What a token must name as its audience.' },
              authorization_servers: { type: 'array', items: { type: 'string', format: 'uri' } },
              authorization_details_types_supported: { type: 'array', items: { type: 'string' } },
              bearer_methods_supported: { type: 'array', items: { type: 'string' } },
              mercure_cookie: { type: 'string', description: 'The cookie that may hold the token.' },
              mercure_matcher_types_supported: { type: 'array', items: { type: 'string' } },
              mercure_subscriptions: { type: 'boolean' },
            },
          },
        },
      },
    },
  },
  refusals: [],
  exchanges: {
    'of-this-hub': {
      summary: 'The metadata of a hub',
      answer: {
        status: 200,
        type: 'application/json',
        value: {
          resource: 'https://hub.example.com/.well-known/mercure',
          authorization_details_types_supported: ['https://mercure.rocks/authorization-detail'],
          bearer_methods_supported: ['header'],
          mercure_cookie: '__Secure-mercure_access_token',
          mercure_matcher_types_supported: ['exact', 'urlpattern'],
        },
      },
    },
  },
};

export const METADATA: Operations<MetadataController> = { metadata };
