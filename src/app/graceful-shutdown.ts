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
import { Drain } from '../streams/drain/drain.js';
import { Http2Liveness } from './http2-liveness.js';

/** Milliseconds that requests under way are given to finish. */
const PATIENCE = 5_000;

/**
 * Stops in order. `leave` lets go of the streams (see `Drain`), and from the first of them on the server accepts no new
 * connections; those that are there are served, and told with each answer that it is the last one. Then requests under way
 * get time to finish, and only then are the sockets closed.
 */
@Injectable()
export class GracefulShutdown implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger(GracefulShutdown.name);
  private readonly answers = new Set<ServerResponse>();
  private finishing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly drain: Drain,
    private readonly sessions: Http2Liveness,
  ) {}

  onApplicationBootstrap(): void {
    const server = this.server();
    server.prependListener('request', (_request: IncomingMessage, answer: ServerResponse) => {
      this.answers.add(answer);
      answer.once('close', () => this.answers.delete(answer));
      if (this.drain.isFinal && !server.listening) sayLast(answer);
    });
  }

  /** Lets go of the clients, while everything goes on otherwise. Resolves at once where nobody could come. */
  async leave(): Promise<void> {
    if (!this.server().listening) return;
    this.logger.log('stopping');
    this.drain.onLettingGo(() => this.stopListening());
    await this.drain.leave();
  }

  /** Has {@link leave} take no time, also while it is under way. */
  hurry(): void {
    this.drain.hurry();
  }

  onModuleDestroy(): void {
    if (this.server().listening) this.stopListening();
    const finished = Promise.allSettled([...this.answers].map((answer) => once(answer, 'close')));
    // The time-out begins now, so that it runs at the same time as those of other parts and is not added to them.
    this.finishing = Promise.race([finished, delay(PATIENCE, undefined, { ref: false })]);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.finishing;
    const { size } = this.answers;
    if (size > 0) this.logger.warn(`${size} request(s) did not finish within ${PATIENCE} ms and are cut off`);
  }

  /**
   * Accepts no more connections. Those of HTTP/1.1 that are idle are not closed, as Node's HTTP server would do: whoever
   * sends a request on one at that moment would have no answer.
   */
  private stopListening(): void {
    // From Node 24 on, the `close` of an HTTP/2 server also closes its sessions, and so cuts off streams whose end is
    // still on its way.
    NetServer.prototype.close.call(this.server());
    for (const answer of this.answers) sayLast(answer);
    this.sessions.sayGoodbye();
  }

  private server(): Server {
    return this.host.httpAdapter.getHttpServer() as Server;
  }
}

/** Tells a client of HTTP/1.1 with this answer that no other one comes on its connection (RFC 9112, 9.6). */
function sayLast(answer: ServerResponse): void {
  if (!('stream' in answer) && !answer.headersSent) answer.setHeader('connection', 'close');
}
