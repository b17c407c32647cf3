import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/** Milliseconds that requests under way are given to finish. */
const PATIENCE = 5_000;

/**
 * Stops in order: no new connections; then time for what is under way (the streams have been told to end by then, see
 * `StreamRegistry`); and only then are the sockets closed.
 */
@Injectable()
export class GracefulShutdown implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger(GracefulShutdown.name);
  private readonly answers = new Set<ServerResponse>();

  constructor(private readonly host: HttpAdapterHost) {}

  onApplicationBootstrap(): void {
    this.server().on('request', (_request: IncomingMessage, answer: ServerResponse) => {
      this.answers.add(answer);
      answer.once('close', () => this.answers.delete(answer));
    });
  }

  onModuleDestroy(): void {
    this.logger.log('stopping');
    if (this.server().listening) this.server().close();
  }

  async beforeApplicationShutdown(): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE);
    const finished = [...this.answers].map((answer) => once(answer, 'close', { signal: deadline }));
    const results = await Promise.allSettled(finished);
    const cut = results.filter((result) => result.status === 'rejected').length;
    if (cut > 0) this.logger.warn(`${cut} request(s) did not finish within ${PATIENCE} ms and are cut off`);
  }

  private server(): Server {
    return this.host.httpAdapter.getHttpServer() as Server;
  }
}
