import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { HubErrorCode } from '../../access/hub.errors.js';
import type { Config } from '../../config/config.js';
import { VERSION } from '../../shared/version.js';
import { describe, problemSchema } from './describe.js';
import { descriptionOf } from './descriptions.js';

/** How any request may be refused, whatever it asks for. */
const ANYWHERE: readonly HubErrorCode[] = [
  'request-malformed',
  'head-too-large',
  'head-too-slow',
  'expectation-unknown',
  'version-unsupported',
  'method-not-allowed',
  'not-found',
];

const ABOUT = `A push hub for the web: publish over HTTP, receive over Server-Sent Events.

Refusals are problems (RFC 9457) with a \`code\` for programs. Examples with the same name belong together: what is asked,
and what is answered.`;

const PROBLEM = {
  type: 'object',
  required: ['status', 'title'],
  properties: {
    status: { type: 'integer' },
    title: { type: 'string' },
    code: { type: 'string', description: 'Identifies the refusal for programs: its meaning never changes.' },
    detail: { type: 'string', description: 'What was wrong, and what to do about it.' },
    errorId: { type: 'string', description: 'Also in the log, where the service failed.' },
  },
};

/** What the routes of the application are and do: paths and methods are those of its controllers. */
export function createDocument(app: INestApplication, config: Config): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.2.0')
    .setTitle('Herald')
    .setDescription(ABOUT)
    .setVersion(VERSION)
    .setLicense('MIT', '')
    .addServer(config.server.basePath || '/')
    .addBearerAuth({ type: 'http', bearerFormat: 'JWT', description: 'A token that grants the action.' }, 'bearer')
    .addCookieAuth(config.auth.cookieName, { type: 'apiKey', in: 'cookie', description: 'The same in a cookie.' }, 'cookie');
  const handlers = new Map<string, readonly [controller: string, handler: string]>();
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (controller, handler) => {
      const id = idOf(controller, handler);
      handlers.set(id, [controller, handler.replace(/\[\d+\]$/, '')]);
      return id;
    },
  });
  document.components = {
    ...document.components,
    schemas: { Problem: PROBLEM },
    responses: {
      Refusal: {
        description: `Refused as on every route: ${ANYWHERE.map((code) => `\`${code}\``).join(', ')}; or a failure of the service, which has no code.`,
        content: {
          'application/problem+json': {
            schema: { anyOf: [problemSchema(ANYWHERE), { properties: { status: { const: 500 } } }] },
          },
        },
      },
    },
  };
  const facts = { anonymous: config.auth.anonymous, protectsEvents: config.auth.protectEvents };
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const { operationId = '' } = operation;
      const described = descriptionOf(...(handlers.get(operationId) ?? ['', '']));
      if (described) Object.assign(item, { [method]: { operationId, tags: operation.tags, ...describe(path, described, facts) } });
    }
  }
  return document;
}

/** Such as `historyQuery`, with a number for each further path of the same handler. */
function idOf(controller: string, handler: string): string {
  const name = controller.replace(/Controller$/, '');
  const [method = '', path = '0'] = handler.split(/[[\]]/);
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}${method.charAt(0).toUpperCase()}${method.slice(1)}${path === '0' ? '' : path}`;
}
