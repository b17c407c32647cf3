import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { problemOf } from '../../access/hub.errors.js';
import { type Config, ConfigError } from '../../config/config.js';
import { CONFIG } from '../../config/config.module.js';
import { PROBLEM_TYPE } from '../../shared/http/problem.js';
import { messageOf } from '../../shared/errors/message-of.js';
import { markInternal } from './internal-requests.js';

/** Connections that it takes at once: those of probes, of Prometheus, and of a few administrators. */
const MAX_CONNECTIONS = 64;

/** What is answered here. */
const PATHS = /^\/(?:health\/|healthz$|metrics$|admin\/)/;

/**
 * A second HTTP server of the process for those who look after it: health, metrics and administration, in the clear, on an
 * address that the public can't reach. It answers also when streams have taken all connections of the public one, and until
 * the process has let go of everything else.
 */
@Injectable()
export class InternalListener implements OnApplicationShutdown {
  private readonly logger = new Logger(InternalListener.name);
  private server: Server | undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * Begins to listen, where that is configured.
   * @throws {ConfigError} when the address can't be had.
   */
  async open(): Promise<void> {
    const { internal } = this.config.server;
    if (!internal) return;
    const server = createServer((request, response) => this.answer(request, response));
    server.maxConnections = MAX_CONNECTIONS;
    server.listen(internal.port, internal.host);
    try {
      await once(server, 'listening');
    } catch (error) {
      throw new ConfigError([`HERALD_INTERNAL_LISTEN names an address that can't be had: ${messageOf(error)}`]);
    }
    this.server = server;
    this.logger.log(`health, metrics and administration are at ${urlOf(server)}`);
  }

  onApplicationShutdown(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const [path = ''] = (request.url ?? '').split('?', 1);
    if (!PATHS.test(path)) return answerUnknown(response);
    markInternal(request);
    this.host.httpAdapter.getInstance<FastifyInstance>().routing(request, response);
  }
}

function answerUnknown(response: ServerResponse): void {
  const refusal = problemOf('not-found', 'This listener answers at /health/live, /health/ready, /metrics and /admin/.');
  response.writeHead(refusal.status, { 'content-type': PROBLEM_TYPE, connection: 'close' });
  response.end(JSON.stringify(refusal));
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
