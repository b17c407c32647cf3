import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { HubErrorCode } from '../../access/hub.errors.js';
import type { Config } from '../../config/config.js';
import { VERSION } from '../../shared/version.js';
import { DocsController } from '../docs/docs.controller.js';
import { describe, type Facts, problemSchema } from './describe.js';
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

type PathItemObject = OpenAPIObject['paths'][string];

type OperationObject = NonNullable<PathItemObject['get']>;

const ABOUT = `A push hub for the web: publish over HTTP, receive over Server-Sent Events.

Refusals are problems (RFC 9457) with a \`code\` for programs. Examples with the same name belong together: what is asked,
and what is answered.

Without a key for administrators there is nothing below \`/admin\`, and with \`HERALD_ADMIN_INTERNAL\` only at the internal listener.`;

/** A refusal (RFC 9457). */
const PROBLEM = {
  type: 'object',
  required: ['status', 'title'],
  properties: {
    status: { type: 'integer' },
    title: { type: 'string' },
    code: { type: 'string', description: 'Identifies the refusal for programs: its meaning never changes.' },
    detail: { type: 'string', description: 'What was wrong, and what to do about it.' },
    errorId: { type: 'string', description: 'Also in the log, where the service failed.' },
    limit: {
      type: 'object',
      description:
        'With `matchers-too-many`: how many of this kind a subscription may have, and of how many bytes together.',
      required: ['count', 'bytes'],
      properties: { count: { type: 'integer' }, bytes: { type: 'integer' } },
    },
  },
};

const COMPONENTS = {
  schemas: { Problem: PROBLEM },
  responses: {
    Refusal: {
      description:
        `Refused as on every route: ${ANYWHERE.map((code) => `\`${code}\``).join(', ')}. ` +
        'A failure of the service has no code: 500, with an `errorId`.',
      content: {
        'application/problem+json': {
          schema: {
            anyOf: [problemSchema(ANYWHERE), { properties: { status: { const: 500 } }, required: ['errorId'] }],
          },
        },
      },
    },
  },
};

/** Controllers in the order in which readers look for them. */
const TAGS = [
  'Subscribe',
  'Publish',
  'History',
  'Subscriptions',
  'Metadata',
  'Events',
  'Admin',
  'Updates',
  'Metrics',
  'Health',
];

/** What the routes of the application are and do: paths and methods are those of its controllers. */
export function createDocument(app: INestApplication, config: Config): OpenAPIObject {
  const handlers = new Map<string, Handler>();
  const operationIdFactory = (controller: string, handler: string): string => {
    const id = idOf(controller, handler);
    handlers.set(id, { controller, name: handler.replace(/\[\d+\]$/, '') });
    return id;
  };
  const document = SwaggerModule.createDocument(app, headOf(config), { operationIdFactory });
  const facts = { anonymous: config.auth.anonymous, protectsEvents: config.auth.protectEvents };
  const paths: OpenAPIObject['paths'] = {};
  for (const [path, item] of Object.entries(document.paths)) {
    const operations = Object.entries(item as Readonly<Record<string, OperationObject>>)
      .filter(([, { operationId = '' }]) => handlers.get(operationId)?.controller !== DocsController.name)
      .map(([method, operation]) => [method, describedAt(path, operation, handlers, facts)]);
    if (operations.length > 0) paths[path] = Object.fromEntries(operations) as PathItemObject;
  }
  return { ...document, paths, components: { ...document.components, ...COMPONENTS } };
}

interface Handler {
  readonly controller: string;
  readonly name: string;
}

function headOf({ server, auth }: Config): Omit<OpenAPIObject, 'paths'> {
  const header = { bearerFormat: 'JWT', description: 'A token that grants the action which is named.' };
  const cookie = { type: 'apiKey', in: 'cookie', description: 'The same token, as browsers bring it.' } as const;
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.2.0')
    .setTitle('Herald')
    .setDescription(ABOUT)
    .setVersion(VERSION)
    // Without a host, so that it holds wherever the document was found.
    .addServer(server.basePath || '/')
    .addBearerAuth({ type: 'http', ...header }, 'bearer')
    .addCookieAuth(auth.cookieName, cookie, 'cookie');
  for (const name of TAGS) builder.addTag(name);
  return builder.build();
}

function describedAt(
  path: string,
  { operationId = '', tags }: OperationObject,
  handlers: ReadonlyMap<string, Handler>,
  facts: Facts,
): object {
  const { controller = '', name = '' } = handlers.get(operationId) ?? {};
  const described = descriptionOf(controller, name);
  // A test finds what nobody has described.
  return { operationId, tags, ...(described ? describe(path, described, facts) : { responses: {} }) };
}

/** Such as `historyQuery`, with a number for each further path of the same handler. */
function idOf(controller: string, handler: string): string {
  const noun = controller.replace(/Controller$/, '');
  const [verb = '', path = '0'] = handler.split(/[[\]]/);
  return `${noun.charAt(0).toLowerCase()}${noun.slice(1)}${verb.charAt(0).toUpperCase()}${verb.slice(1)}${path === '0' ? '' : path}`;
}
