import { once } from 'node:events';
import type { ServerHttp2Session } from 'node:http2';
import type { Server, Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type HttpServer, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { instancesOf } from './instances-of.js';

/** How many times sessions are checked within the time-out for an answer, so that none outlives it by much. */
const LOOKS = 2;

/** The time-out where no streams are looked after, in milliseconds. */
const USUAL_TIMEOUT = 30_000;

interface Session {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
  /** Since when a client with an unanswered PING has sent nothing at all, on the clock of `performance.now()`. */
  silentSince?: number;
  /** Bytes that the socket had received by then. */
  received: number;
}

/**
 * The HTTP/2 connections of the server: closes those whose clients do not answer, and all of them at the end.
 *
 * Each is sent a PING (RFC 9113, 6.7) every half of the write time-out of the streams, and is cut when a PING has not been
 * answered, and nothing else has come, for the whole of it. A client on a slow line gets the PING late, behind the data that
 * it is being sent, but meanwhile shows that it reads (WINDOW_UPDATE).
 *
 * Otherwise clients could leave sockets behind that nobody closes. After a connection error Node stops reading from the
 * socket without telling the session, and so never sees that the client has closed it: Node 20 after each such error,
 * later versions where the client has sent GOAWAY before.
 */
@Injectable()
export class Http2Sessions implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Http2Sessions.name);
  private readonly sessions = new Set<Session>();
  private patience = USUAL_TIMEOUT;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly discovery: DiscoveryService,
  ) {}

  onApplicationBootstrap(): void {
    const server = (this.host.httpAdapter as HttpServer | undefined)?.getHttpServer() as Server | undefined;
    if (!server) return;
    const registries = instancesOf(StreamRegistry, this.discovery);
    if (registries.length > 0) this.patience = Math.max(...registries.map(({ writeTimeout }) => writeTimeout));
    // A session does not expose its socket, but the server emits both events in one turn, the socket's first: over TLS that
    // of the handshake, otherwise that of the connection. A server that does not speak HTTP/2 has no sessions.
    let current: Socket;
    const remember = (socket: Socket): void => void (current = socket);
    server.prependListener('connection', remember);
    server.prependListener('secureConnection', remember);
    server.on('session', (session: ServerHttp2Session) => this.watch({ session, socket: current, received: 0 }));
  }

  /**
   * Tells all clients to use other connections from now on, and finish what they have begun on these (GOAWAY, RFC 9113,
   * 6.8).
   */
  sayGoodbye(): void {
    for (const { session } of this.sessions) if (!session.closed && !session.destroyed) session.goaway();
  }

  /**
   * Closes all of them, and resolves once they are closed or the signal says that it takes too long. Node tells of the end
   * of a stream before it hands the stream's last bytes to the socket, so a socket must not be cut as soon as its streams
   * are over. Never rejects.
   */
  async close(signal: AbortSignal): Promise<void> {
    const closed = Array.from(this.sessions, async ({ session, socket }) => {
      session.close();
      if (!socket.closed) await once(socket, 'close', { signal });
    });
    await Promise.allSettled([...closed, nextTurn()]);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private watch(session: Session): void {
    this.timer ??= setInterval(() => this.look(performance.now()), this.patience / LOOKS).unref();
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
