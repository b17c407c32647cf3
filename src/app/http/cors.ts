import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { METADATA_PREFIX } from '../../auth/settings/resource.js';
import { HUB_PATH } from '../../shared/hub-path.js';

/** What pages of other origins may do with a path, and which headers of its answers they may read. */
interface SharedPath {
  readonly methods: readonly string[];
  readonly exposed: readonly string[];
}

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

/** Seconds. Chromium keeps the answer to a preflight for two hours at the most. */
const PREFLIGHT_MAX_AGE = 7_200;

/**
 * Lets pages of the listed origins read the streams and publish, with their cookies, and load the client library. An
 * origin that is not on the list gets no CORS header at all, and no header is ever made from the request's own `Origin`
 * (R18).
 */
export function allowOrigins(app: NestFastifyApplication, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const delegator = (request: { url: string }, answer: (error: Error | null, options: object) => void): void => {
    const shared = sharedPath(request.url.split('?', 1)[0] ?? '');
    answer(null, shared ? corsOptions(origins, shared) : { origin: false });
  };
  // `@fastify/cors` takes a delegate in place of options, which Nest passes on but does not type.
  const options = { delegator };
  app.enableCors(options);
}

function sharedPath(path: string): SharedPath | undefined {
  if (path === '/events') return EVENTS;
  if (path.startsWith(CLIENT_PREFIX)) return CLIENT;
  if (path === HUB_PATH || path === `${HUB_PATH}/batch`) return HUB;
  if (path === `${HUB_PATH}/history`) return HISTORY;
  if (path === `${HUB_PATH}/subscriptions` || path.startsWith(`${HUB_PATH}/subscriptions/`)) return SUBSCRIPTIONS;
  return path === METADATA_PREFIX + HUB_PATH ? METADATA : undefined;
}

function corsOptions(origins: readonly string[], { methods, exposed }: SharedPath): object {
  return {
    origin: [...origins],
    methods: [...methods],
    // Clients built on `fetch` resume with `Last-Event-ID`, for which browsers send a preflight to another origin.
    allowedHeaders: ['Authorization', 'Cache-Control', 'Content-Type', 'Last-Event-ID', 'Idempotency-Key'],
    exposedHeaders: [...exposed],
    credentials: true,
    maxAge: PREFLIGHT_MAX_AGE,
  };
}
