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
 * Stops in order: no new connections; then time for what is under way (the streams have been told to end by then, see
 * `StreamRegistry`); and only then are the sockets closed.
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
    // The patience begins now: what other parts wait for before they stop is not added to it.
    this.finishing = Promise.race([finished, delay(PATIENCE, undefined, { ref: false })]);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.finishing;
    const { size } = this.answers;
    if (size > 0) this.logger.warn(`${size} request(s) did not finish within ${PATIENCE} ms and are cut off`);
  }

  private stopListening(): void {
    const server = this.server();
    // That of HTTP/2 closes the sessions as well, from Node 24 on, and with them streams whose end is still on its way.
    if ('setSecureContext' in server) NetServer.prototype.close.call(server);
    else server.close();
  }

  private server(): Server {
    return this.host.httpAdapter.getHttpServer() as Server;
  }
}
