import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { METADATA_PREFIX } from '../../auth/settings/resource.js';
import { HUB_PATH } from '../../shared/hub-path.js';
import type { Origins } from '../../shared/http/origins.js';

/** What pages of other origins may do with a path, and which headers of its answers they may read. */
interface SharedPath {
  readonly methods: readonly string[];
  readonly exposed: readonly string[];
}

/** What pages may read of every answer: what the log calls their request. */
const ALWAYS_EXPOSED = ['X-Request-Id'];

const EVENTS: SharedPath = { methods: ['GET'], exposed: [] };

const HUB: SharedPath = {
  methods: ['GET', 'QUERY', 'POST'],
  exposed: [
    'Herald-Heartbeat',
    'Herald-Process',
    'Mercure-Last-Event-ID',
    'Last-Event-ID',
    'WWW-Authenticate',
    'Retry-After',
  ],
};

const SUBSCRIPTIONS: SharedPath = { methods: ['GET'], exposed: ['Link', 'ETag', 'WWW-Authenticate'] };

const HISTORY: SharedPath = { methods: ['GET', 'QUERY'], exposed: ['Link', 'WWW-Authenticate', 'Retry-After'] };

/** The client library's modules: a browser loads modules of another origin with CORS only. */
const CLIENT: SharedPath = { methods: ['GET'], exposed: [] };
const CLIENT_PREFIX = '/herald/';

/** The protected resource metadata (RFC 9728): public, and read by clients that have no token yet. */
const METADATA: SharedPath = { methods: ['GET'], exposed: [] };

/** The OpenAPI document, which tools of other sites read: public as well. */
const OPENAPI: SharedPath = { methods: ['GET'], exposed: [] };

/** Seconds. Chromium keeps the answer to a preflight for two hours at the most. */
const PREFLIGHT_MAX_AGE = 7_200;

/** The headers that the hub itself reads. Clients built on `fetch` resume with `Last-Event-ID`. */
const OWN_HEADERS = [
  'Authorization',
  'Cache-Control',
  'Content-Type',
  'Idempotency-Key',
  'If-None-Match',
  'Last-Event-ID',
];

/** Which origins' pages may use the hub, and which headers they may send besides those that it reads. */
export interface Sharing {
  readonly origins: Origins;
  readonly headers: readonly string[];
}

/**
 * Lets pages of the listed origins read the streams and publish, with their cookies, and load the client library. An
 * origin that is not on the list is never named in an answer (R18).
 */
export function allowOrigins(app: NestFastifyApplication, sharing: Sharing): void {
  const delegator = (
    { url, headers }: { readonly url: string; readonly headers: { readonly origin?: string | undefined } },
    answer: (error: Error | null, options: object) => void,
  ): void => {
    const shared = sharedPath(url.split('?', 1)[0] ?? '');
    answer(null, shared ? corsOptions(headers.origin, sharing, shared) : { origin: false });
  };
  // `@fastify/cors` takes a delegate in place of options, which Nest passes on but does not type.
  const options = { delegator };
  app.enableCors(options);
  // By the timing of a finished request the client library knows whether the hub speaks HTTP/2, and so how many streams
  // a page may have.
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      const { origin } = request.headers;
      if (origin !== undefined && sharing.origins.has(origin)) void reply.header('timing-allow-origin', origin);
      done();
    });
}

/** The headers with which a page of this origin, if it is listed, can read a refusal that no hook has seen. */
export type ShareRefusal = (origin: string | undefined) => Readonly<Record<string, string>>;

export function sharedRefusal(origins: Origins): ShareRefusal {
  return (origin) =>
    origin !== undefined && origins.has(origin)
      ? {
          'access-control-allow-origin': origin,
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': ALWAYS_EXPOSED.join(', '),
          vary: 'Origin',
        }
      : {};
}

function sharedPath(path: string): SharedPath | undefined {
  if (path === '/events') return EVENTS;
  if (path === '/openapi.json') return OPENAPI;
  if (path.startsWith(CLIENT_PREFIX)) return CLIENT;
  if (path === HUB_PATH || path === `${HUB_PATH}/batch`) return HUB;
  if (path === `${HUB_PATH}/history`) return HISTORY;
  if (path === `${HUB_PATH}/subscriptions` || path.startsWith(`${HUB_PATH}/subscriptions/`)) return SUBSCRIPTIONS;
  return path === METADATA_PREFIX + HUB_PATH ? METADATA : undefined;
}

function corsOptions(
  origin: string | undefined,
  { origins, headers }: Sharing,
  { methods, exposed }: SharedPath,
): object {
  return {
    // A list, so that a preflight of an origin that is not on it is answered as well.
    origin: origin !== undefined && origins.has(origin) ? [origin] : [],
    methods: [...methods],
    allowedHeaders: [...OWN_HEADERS, ...headers],
    exposedHeaders: [...exposed, ...ALWAYS_EXPOSED],
    credentials: true,
    maxAge: PREFLIGHT_MAX_AGE,
  };
}
