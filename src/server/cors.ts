import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { HUB_PATH } from '../hub/http/hub-path.js';

/** Paths that pages of other origins may read. */
const SHARED_PATHS = new Set(['/events', HUB_PATH]);

/** Chromium keeps a preflight's answer for two hours at the most. */
const PREFLIGHT_MAX_AGE = 7_200;

/**
 * Lets pages of the listed origins read the streams, with their cookies. An origin that is not on the list gets no CORS
 * header at all, and none is ever made from the request's own `Origin`.
 */
export function allowOrigins(app: NestFastifyApplication, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const delegator = (request: { url: string }, answer: (error: Error | null, options: object) => void): void => {
    const path = request.url.split('?', 1)[0] ?? '';
    answer(null, SHARED_PATHS.has(path) ? corsOptions(origins, path) : { origin: false });
  };
  // `@fastify/cors` takes a delegate in place of options, which Nest passes on but does not type.
  const options = { delegator };
  app.enableCors(options);
}

function corsOptions(origins: readonly string[], path: string): object {
  return {
    origin: [...origins],
    methods: path === HUB_PATH ? ['GET', 'QUERY'] : ['GET'],
    // `Last-Event-ID` is what fetch-based clients resume with; browsers ask before they send it to another origin.
    allowedHeaders: ['Authorization', 'Cache-Control', 'Content-Type', 'Last-Event-ID'],
    exposedHeaders: path === HUB_PATH ? ['Mercure-Last-Event-ID', 'WWW-Authenticate'] : [],
    credentials: true,
    maxAge: PREFLIGHT_MAX_AGE,
  };
}
