import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import type { Config, RequestLog } from '../config/config.js';
import { limitSockets } from './process/descriptors.js';
import { NestLogger } from './logging/logger.js';
import { ApiDocument } from './openapi/api-document.js';
import { createAdapter } from './adapter.js';
import { acceptBodies } from './http/accept-bodies.js';
import { limitAnswers } from './http/limit-answers.js';
import { allowOrigins, sharedRefusal } from './http/cors.js';
import { redirectToPage } from './http/base-path.js';
import { hideAdmin } from './internal/hide-admin.js';
import { boundHeads } from './http/unfinished-heads.js';
import { knowPaths } from './http/known-paths.js';
import { logRequests, nameRequests } from '../herald/request-log/index.js';
import { RepeatedLines } from '../shared/log/repeated-lines.js';
import { checkHeads } from './http/request-head.js';
import type { Tracer } from '../shared/trace/tracer.js';
import { Origins } from '../shared/http/origins.js';
import { addSecurityHeaders } from './http/security-headers.js';

/**
 * The whole application, wired but not yet listening: the one composition root.
 * @param signal when aborted, the application no longer waits for what it needs, such as Redis.
 */
export async function createApp(config: Config, logger: Logger, signal?: AbortSignal): Promise<NestFastifyApplication> {
  const { basePath, corsOrigins, corsHeaders, isAdminInternal, maxHeadBytes, maxSockets, tls } = config.server;
  const origins = new Origins(corsOrigins);
  const share = sharedRefusal(origins);
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(config, signal, await openTracer(config)),
    createAdapter(config, share, new RepeatedLines((line) => logger.warn(line))),
    { logger: new NestLogger(logger), abortOnError: false, bodyParser: false },
  );
  if (maxSockets !== undefined) limitSockets(app.getHttpServer(), maxSockets, logger);
  const fastify = app.getHttpAdapter().getInstance();
  nameRequests(fastify);
  acceptBodies(fastify);
  knowPaths(fastify);
  redirectToPage(fastify, basePath);
  checkHeads(fastify, maxHeadBytes, share);
  boundHeads(app.getHttpServer(), logger);
  writeRequests(fastify, logger, config.requestLog);
  limitAnswers(fastify, config.streams.writeTimeout);
  addSecurityHeaders(fastify, tls !== undefined);
  if (isAdminInternal) hideAdmin(fastify);
  if (corsOrigins.length > 0) allowOrigins(app, { origins, headers: corsHeaders });
  app.get(ApiDocument).describes(app);
  return app;
}

/** One line for each request, or each that has gone wrong. */
function writeRequests(fastify: FastifyInstance, logger: Logger, log: RequestLog): void {
  if (log === 'off') return;
  logRequests(fastify, {
    log,
    isEnabled: (level) => logger.isLevelEnabled(level),
    write: (line, level) => logger[level](line),
  });
}

/** Loads OpenTelemetry, which takes a while and some memory, only where it is wanted. */
async function openTracer({ traces }: Config): Promise<Tracer | undefined> {
  if (!traces) return undefined;
  const { OpenTelemetryTracer } = await import('./tracing/open-telemetry.js');
  return new OpenTelemetryTracer(traces);
}
