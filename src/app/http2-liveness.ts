import type { ServerHttp2Session } from 'node:http2';
import type { Server, TLSSocket } from 'node:tls';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';

/** How many times sessions are checked within the time-out for an answer, so that none outlives it by much. */
const LOOKS = 2;

interface Session {
  readonly session: ServerHttp2Session;
  readonly socket: TLSSocket;
  /** Since when a client with an unanswered PING has sent nothing at all, on the clock of `performance.now()`. */
  silentSince?: number;
  /** Bytes that the socket had received by then. */
  received: number;
}

/**
 * Closes HTTP/2 connections whose clients do not answer. Each is sent a PING (RFC 9113, 6.7) every half of the write
 * time-out, and is cut when a PING has not been answered, and nothing else has come, for the whole of it. A client on a
 * slow line gets the PING late, behind the data that it is being sent, but meanwhile shows that it reads
 * (WINDOW_UPDATE).
 *
 * Otherwise clients could leave sockets behind that nobody closes. After a connection error Node stops reading from the
 * socket without telling the session, and so never sees that the client has closed it: Node 20 after each such error,
 * later versions where the client has sent GOAWAY before.
 */
@Injectable()
export class Http2Liveness implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Http2Liveness.name);
  private readonly patience: number;
  private readonly isNeeded: boolean;
  private readonly sessions = new Set<Session>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly host: HttpAdapterHost,
  ) {
    this.patience = config.streams.writeTimeout;
    this.isNeeded = config.server.tls !== undefined;
  }

  onApplicationBootstrap(): void {
    if (!this.isNeeded) return;
    const server = this.host.httpAdapter.getHttpServer() as Server;
    // A session does not expose its socket, but the server emits both events in one turn, the socket's first.
    let current: TLSSocket;
    server.prependListener('secureConnection', (socket) => (current = socket));
    server.on('session', (session: ServerHttp2Session) => this.watch({ session, socket: current, received: 0 }));
    this.timer = setInterval(() => this.look(performance.now()), this.patience / LOOKS).unref();
  }

  /**
   * Tells all clients to use other connections from now on, and finish what they have begun on these (GOAWAY, RFC 9113,
   * 6.8).
   */
  sayGoodbye(): void {
    for (const { session } of this.sessions) if (!session.closed && !session.destroyed) session.goaway();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private watch(session: Session): void {
    this.sessions.add(session);
    session.socket.once('close', () => this.sessions.delete(session));
  }

  private look(now: number): void {
    for (const session of this.sessions) {
      if (session.silentSince === undefined) ask(session, now);
      else if (session.socket.bytesRead > session.received) listen(session, now);
      else if (now - session.silentSince >= this.patience) this.cut(session);
    }
  }

  private cut({ session, socket }: Session): void {
    this.logger.debug(`an HTTP/2 connection is closed: no answer to a PING within ${this.patience} ms`);
    session.destroy();
    // If the session was closing, `destroy` waits for the client to close the socket, which Node may never notice.
    socket.destroy();
  }
}

function listen(session: Session, now: number): void {
  session.silentSince = now;
  session.received = session.socket.bytesRead;
}

function ask(session: Session, now: number): void {
  listen(session, now);
  // A session that has ended while its socket is open can't be pinged: the socket has the time-out to close.
  if (session.session.destroyed) return;
  session.session.ping((error) => {
    if (!error) delete session.silentSince;
  });
}
