import { once, setMaxListeners } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import {
  type HttpServer,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { Drain } from '../../streams/drain/drain.js';
import { Http2Sessions } from './http2-sessions.js';
import { instancesOf } from './instances-of.js';
import { OpenSockets } from './open-sockets.js';
import { onSecondSignal } from './second-signal.js';

/** The injection token of {@link GracefulEndOptions}. */
export const GRACEFUL_END_OPTIONS = Symbol('graceful end options');

export interface GracefulEndOptions {
  /** Milliseconds that requests under way get to finish, once the streams have been let go. Default: 5,000. */
  readonly patience?: number | undefined;
}

/**
 * Stops in order. `leave` lets go of the streams of all hubs (see `Drain`), and from the first of them on the server accepts
 * no new connections; those that are there are served, and told with each answer that it is the last one. Then requests
 * under way get time to finish, and only then are the sockets closed.
 */
@Injectable()
export class GracefulEnd implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(GracefulEnd.name);
  private readonly answers = new Set<ServerResponse>();
  private readonly impatience = new AbortController();
  /** Shared by all answers, because a closure for each cost a publication a microsecond. */
  private readonly forget: (this: ServerResponse) => void;
  private server: Server | undefined;
  private hasStopped = false;
  private leaving: Promise<void> | undefined;

  /** @internal Nest calls it. */
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly discovery: DiscoveryService,
    private readonly sessions: Http2Sessions,
    @Inject(GRACEFUL_END_OPTIONS) private readonly options: Required<GracefulEndOptions>,
  ) {
    const { answers } = this;
    this.forget = function forget() {
      answers.delete(this);
    };
  }

  onApplicationBootstrap(): void {
    const adapter = this.host.httpAdapter as HttpServer | undefined;
    this.server = adapter?.getHttpServer() as Server | undefined;
    if (!adapter || !this.server) return;
    this.server.prependListener('request', (_request: IncomingMessage, answer: ServerResponse) => this.follow(answer));
    closeBefore(adapter, new OpenSockets(this.server));
  }

  /**
   * Lets go of the clients, while everything goes on otherwise. Resolves once the last stream was told to end; at once where
   * nobody could come. `app.close()` does it where it was not done before. Never rejects.
   */
  leave(): Promise<void> {
    this.leaving ??= this.letGo();
    return this.leaving;
  }

  /** Has {@link leave} take no time, also while it is under way. */
  hurry(): void {
    for (const drain of this.drains()) drain.hurry();
  }

  /** Comes before all other hooks of the end (see `HeraldGracefulEndModule`). */
  async onModuleDestroy(): Promise<void> {
    const forget = onSecondSignal(() => {
      this.hurry();
      this.impatience.abort();
    });
    await this.leave();
    this.stopListening();
    const { signal } = this.impatience;
    // Each answer and each session listens to it, and Node would take so many listeners for a leak.
    setMaxListeners(0, signal);
    const timer = setTimeout(() => this.impatience.abort(), this.options.patience).unref();
    await Promise.all([this.untilAnswered(signal), ...this.drains().map((drain) => drain.finish())]);
    await this.sessions.close(signal);
    clearTimeout(timer);
    forget();
  }

  /** Those of all hubs. They are there before the application starts, and a start that fails ends as well. */
  private drains(): readonly Drain[] {
    return instancesOf(Drain, this.discovery);
  }

  private follow(answer: ServerResponse): void {
    this.answers.add(answer);
    answer.on('close', this.forget);
    if (this.hasStopped) sayLast(answer);
  }

  private async letGo(): Promise<void> {
    if (!this.server?.listening) {
      this.hurry();
      return;
    }
    this.logger.log('stopping');
    for (const drain of this.drains()) drain.onLettingGo(() => this.stopListening());
    await Promise.all(this.drains().map((drain) => drain.leave()));
  }

  /** Resolves once no request is under way any more, or has had its time. */
  private async untilAnswered(signal: AbortSignal): Promise<void> {
    while (this.answers.size > 0 && !signal.aborted) {
      const closed = Array.from(this.answers, (answer) => once(answer, 'close', { signal }));
      // oxlint-disable-next-line no-await-in-loop -- others may have come meanwhile
      await Promise.allSettled(closed);
    }
    const { size } = this.answers;
    if (size > 0)
      this.logger.warn(`${size} request(s) did not finish within ${this.options.patience} ms and are cut off`);
  }

  /**
   * Accepts no more connections. Those of HTTP/1.1 that are idle are not closed, as Node's HTTP server would do: whoever
   * sends a request on one at that moment would have no answer.
   */
  private stopListening(): void {
    if (this.hasStopped || !this.server?.listening) return;
    this.hasStopped = true;
    // From Node 24 on, the `close` of an HTTP/2 server also closes its sessions, and so cuts off streams whose end is
    // still on its way.
    NetServer.prototype.close.call(this.server);
    for (const answer of this.answers) sayLast(answer);
    this.sessions.sayGoodbye();
  }
}

/** Nest waits for the adapter to close, which waits for the sockets. WebSockets have been closed by then. */
function closeBefore(adapter: HttpServer, sockets: OpenSockets): void {
  const close = adapter.close.bind(adapter) as () => unknown;
  adapter.close = () => {
    sockets.closeAll();
    return close();
  };
}

/** Tells a client of HTTP/1.1 with this answer that no other one comes on its connection (RFC 9112, 9.6). */
function sayLast(answer: ServerResponse): void {
  if (!('stream' in answer) && !answer.headersSent) answer.setHeader('connection', 'close');
}
