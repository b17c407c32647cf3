import type { ServerHttp2Session } from 'node:http2';
import type { Server, TLSSocket } from 'node:tls';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';

/** How often sessions are looked at within the time that they have for an answer, so that none outlives it by much. */
const LOOKS = 2;

interface Session {
  readonly session: ServerHttp2Session;
  readonly socket: TLSSocket;
  /** Since when a client that has a PING to answer has sent nothing at all, in milliseconds of the process's clock. */
  silentSince?: number;
  /** Bytes that had come from it by then. */
  received: number;
}

/**
 * Closes HTTP/2 connections on which nobody answers: each is sent a PING (RFC 9113, 6.7) every half of the write
 * time-out, and cut once one has not been answered, and nothing else has come, for the whole of it. A client on a slow
 * line gets the PING late, behind what it is being sent, but says meanwhile that it reads (WINDOW_UPDATE).
 *
 * Without it a client could leave sockets behind that nobody closes. After an error of the whole connection Node stops
 * reading from the socket, so that it never sees the client's end: Node 20 after each, later ones where the client has
 * sent GOAWAY before. It tells the session nothing of it.
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
    // A session does not give its socket away. The server announces both in one turn, the socket first.
    let current: TLSSocket;
    server.prependListener('secureConnection', (socket) => (current = socket));
    server.on('session', (session: ServerHttp2Session) => this.watch({ session, socket: current, received: 0 }));
    this.timer = setInterval(() => this.look(performance.now()), this.patience / LOOKS).unref();
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
    // `destroy` waits for the client's end where the session was closing, and Node may no longer read it.
    socket.destroy();
  }
}

function listen(session: Session, now: number): void {
  session.silentSince = now;
  session.received = session.socket.bytesRead;
}

function ask(session: Session, now: number): void {
  listen(session, now);
  // A session that is over by itself, while its socket is not, can't be asked, and so has its time to close.
  if (session.session.destroyed) return;
  session.session.ping((error) => {
    if (!error) delete session.silentSince;
  });
}
