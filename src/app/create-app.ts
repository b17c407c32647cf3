import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import type { Config } from '../config/config.js';
import { limitSockets, roomForSockets, type Room } from './process/descriptors.js';
import { NestLogger } from './logging/logger.js';
import { createAdapter } from './adapter.js';
import { acceptBodies } from '../hub/http/bodies/accept-bodies.js';
import { limitAnswers } from './http/limit-answers.js';
import { allowOrigins, sharedRefusal } from './http/cors.js';
import { redirectToPage } from './http/base-path.js';
import { hideAdmin } from './internal/hide-admin.js';
import { boundHeads } from './http/unfinished-heads.js';
import { knowPaths } from './http/known-paths.js';
import { logRequests } from './http/request-log.js';
import { checkHeads } from './http/request-head.js';
import type { Tracer } from '../shared/trace/tracer.js';
import { Origins } from '../shared/http/origins.js';
import { addSecurityHeaders } from './http/security-headers.js';

/**
 * The whole application, wired but not yet listening: the one composition root.
 * @param signal when aborted, the application no longer waits for what it needs, such as Redis.
 */
export async function createApp(config: Config, logger: Logger, signal?: AbortSignal): Promise<NestFastifyApplication> {
  const room = roomForSockets();
  const { basePath, corsOrigins, corsHeaders, isAdminInternal, maxHeadBytes, tls } = config.server;
  const origins = new Origins(corsOrigins);
  const share = sharedRefusal(origins);
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(withRoom(config, room), signal, await openTracer(config)),
    createAdapter(config, share),
    // An idle keep-alive connection or an HTTP/2 session must not hold up the end; see `GracefulShutdown` for the rest.
    { logger: new NestLogger(logger), forceCloseConnections: true, abortOnError: false, bodyParser: false },
  );
  if (room) limitSockets(app.getHttpServer(), room, logger);
  const fastify = app.getHttpAdapter().getInstance();
  acceptBodies(fastify);
  knowPaths(fastify);
  redirectToPage(fastify, basePath);
  checkHeads(fastify, maxHeadBytes, share);
  boundHeads(app.getHttpServer(), logger);
  logRequests(fastify, logger);
  limitAnswers(fastify, config.streams.writeTimeout);
  addSecurityHeaders(fastify, tls !== undefined);
  if (isAdminInternal) hideAdmin(fastify);
  if (corsOrigins.length > 0) allowOrigins(app, { origins, headers: corsHeaders });
  return app;
}

/** Loads OpenTelemetry, which takes a while and some memory, only where it is wanted. */
async function openTracer({ traces }: Config): Promise<Tracer | undefined> {
  if (!traces) return undefined;
  const { OpenTelemetryTracer } = await import('./tracing/open-telemetry.js');
  return new OpenTelemetryTracer(traces);
}

/** Where nobody has said how many streams there may be, as many as there is room for. */
function withRoom(config: Config, room: Room | undefined): Config {
  const { maxConnections = room?.streams } = config.streams;
  return { ...config, streams: { ...config.streams, maxConnections, maxHeldRefusals: room?.heldRefusals } };
}
