import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
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
 * Stops in order: the server accepts no new connections; requests under way get time to finish (the streams have been
 * told to end by then, see `StreamRegistry`); only then are the sockets closed.
 */
@Injectable()
export class GracefulShutdown implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger(GracefulShutdown.name);
  private readonly answers = new Set<ServerResponse>();
  private finishing: Promise<unknown> = Promise.resolve();

  constructor(private readonly host: HttpAdapterHost) {}

  onApplicationBootstrap(): void {
    this.server().on('request', (_request: IncomingMessage, answer: ServerResponse) => {
      this.answers.add(answer);
      answer.once('close', () => this.answers.delete(answer));
    });
  }

  onModuleDestroy(): void {
    if (!this.server().listening) return;
    this.logger.log('stopping');
    this.stopListening();
    const finished = Promise.allSettled([...this.answers].map((answer) => once(answer, 'close')));
    // The time-out begins now, so that it runs at the same time as those of other parts and is not added to them.
    this.finishing = Promise.race([finished, delay(PATIENCE, undefined, { ref: false })]);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.finishing;
    const { size } = this.answers;
    if (size > 0) this.logger.warn(`${size} request(s) did not finish within ${PATIENCE} ms and are cut off`);
  }

  private stopListening(): void {
    const server = this.server();
    // From Node 24 on, the `close` of an HTTP/2 server also closes its sessions, and so cuts off streams whose end is
    // still on its way.
    if ('setSecureContext' in server) NetServer.prototype.close.call(server);
    else server.close();
  }

  private server(): Server {
    return this.host.httpAdapter.getHttpServer() as Server;
  }
}
