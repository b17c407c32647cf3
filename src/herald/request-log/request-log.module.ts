import type { Server } from 'node:http';
import { type DynamicModule, Inject, Logger, Module, type NestModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { requestIdOf } from '../../shared/trace/request-id.js';
import { logExpressRequests } from './log-express-requests.js';
import { logRequests } from './log-requests.js';
import { nameRequests } from './name-requests.js';
import type { RequestLevel, RequestLine, RequestLinesOptions } from './request-lines.js';

/** The injection token of {@link RequestLinesOptions}. */
const OPTIONS = Symbol('request log options');

export interface RequestLogOptions {
  /** All requests that are answered, or those that were refused or have failed: with a status of 400 or above. Default: all. */
  readonly log?: RequestLinesOptions['log'] | undefined;
  /** Takes the lines. What it throws is logged. Default: Nest's `Logger` takes them, under the context `RequestLog`. */
  readonly write?: ((line: RequestLine, level: RequestLevel) => void) | undefined;
  /** The level of the lines of a path. Default: `debug` for `/metrics`, `/healthz` and what is below `/health/`; `info` for others. */
  readonly level?: ((path: string) => RequestLevel) | undefined;
}

/**
 * One line in the log for each request that the application answers, and the names by which requests are found in it:
 * `X-Request-Id` and `traceparent` are taken from requests where they are valid, and given with their answers. It is about all
 * routes of the application, those of hubs or not, and needs no hub.
 */
@Module({})
export class HeraldRequestLogModule implements NestModule {
  /** @internal Nest calls it. */
  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(OPTIONS) private readonly options: RequestLinesOptions,
  ) {}

  static forRoot({ log = 'all', write, level }: RequestLogOptions = {}): DynamicModule {
    const logger = new Logger('RequestLog');
    const options: RequestLinesOptions = { log, level, write: write ? guarded(write, logger) : writeTo(logger) };
    return { module: HeraldRequestLogModule, providers: [{ provide: OPTIONS, useValue: options }] };
  }

  /** The last of Nest's hooks that runs before the routes are made. */
  configure(): void {
    const { httpAdapter } = this.host;
    if (httpAdapter.getType() === 'fastify')
      logFastifyRequests(httpAdapter.getInstance<FastifyInstance>(), this.options);
    else logExpressRequests(httpAdapter.getHttpServer() as Server, this.options);
  }
}

function logFastifyRequests(fastify: FastifyInstance, options: RequestLinesOptions): void {
  fastify.setGenReqId(({ headers }) => requestIdOf(headers));
  nameRequests(fastify);
  logRequests(fastify, options);
}

/** Nest's logger writes what is undefined, too. */
function writeTo(logger: Logger): RequestLinesOptions['write'] {
  return (line, level) => {
    const { traceId, ...others } = line;
    logger[level === 'info' ? 'log' : level](traceId === undefined ? others : line);
  };
}

/** Whoever has asked has their answer by then, and an error that nobody catches would end the process. */
function guarded(write: RequestLinesOptions['write'], logger: Logger): RequestLinesOptions['write'] {
  return (line, level) => {
    try {
      write(line, level);
    } catch (error) {
      logger.error(error);
    }
  };
}
