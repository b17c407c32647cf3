import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2Session } from 'node:http2';
import type { Socket } from 'node:net';

/** How many requests are under way on a socket: a property, because a weak map cost each request a microsecond. */
const UNDER_WAY = Symbol('requests under way');

type WatchedSocket = Socket & { [UNDER_WAY]?: number };

/**
 * The sockets of a server on which no request is under way: idle connections, those that have not asked for anything yet,
 * and TLS handshakes that are not over. A stream is a request under way. Whoever needs a place takes it from the one that
 * has been idle for longest.
 */
export class IdleSockets {
  /** The one that has been idle for longest comes first. */
  private readonly idle = new Set<Socket>();
  /** The sockets below TLS whose handshakes are not over, by the addresses of both ends. */
  private readonly handshakes = new Map<string, Socket>();
  private readonly sessions = new WeakMap<Http2Session, Socket>();
  /** Shared by all sockets, because each closure would cost every stream memory. */
  private readonly forget: (this: Socket) => void;
  /** Shared by all responses of HTTP/1.1. */
  private readonly closed: (this: ServerResponse) => void;

  constructor(server: Server) {
    const { idle, handshakes } = this;
    const over = (socket: Socket, isKept: boolean): void => this.over(socket, isKept);
    const isTls = 'setSecureContext' in server;
    this.forget = function forget() {
      idle.delete(this);
      if (isTls) handshakes.delete(nameOf(this));
    };
    // A response that closes before its end has been cut, or a stream has taken its socket over.
    this.closed = function closed() {
      over(this.req.socket, this.writableFinished);
    };
    server.on('connection', (socket: Socket) => (isTls ? this.shakesHands(socket) : this.watch(socket)));
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.begin(request, response));
    if (isTls) this.followTls(server);
  }

  /** Closes the socket that has been idle for longest, other than the newest one. Answers whether there was one. */
  closeOldest(): boolean {
    if (this.idle.size < 2) return false;
    const [oldest] = this.idle;
    oldest?.destroy();
    return oldest !== undefined;
  }

  private watch(socket: Socket): void {
    if (socket.destroyed) return;
    this.idle.add(socket);
    socket.on('close', this.forget);
  }

  private unwatch(socket: Socket): void {
    this.idle.delete(socket);
    socket.off('close', this.forget);
  }

  private shakesHands(socket: Socket): void {
    this.handshakes.set(nameOf(socket), socket);
    this.watch(socket);
  }

  private followTls(server: Server): void {
    // A session does not expose its socket, but the server emits both events in one turn, the socket's first.
    let current: Socket;
    server.prependListener('secureConnection', (socket: Socket) => {
      current = socket;
      const name = nameOf(socket);
      const below = this.handshakes.get(name);
      this.handshakes.delete(name);
      if (below) this.unwatch(below);
      this.watch(socket);
    });
    server.on('session', (session: Http2Session) => this.sessions.set(session, current));
  }

  private begin(request: IncomingMessage, response: ServerResponse): void {
    // A request of HTTP/1.1 may say anything of its version.
    const isHttp2 = 'stream' in request;
    const socket = isHttp2 ? this.sessionSocket(request as unknown as Http2ServerRequest) : request.socket;
    if (!socket) return;
    this.idle.delete(socket);
    (socket as WatchedSocket)[UNDER_WAY] = requestsOn(socket) + 1;
    // It comes once. With `once` each request would have a wrapper of its own.
    response.on('close', isHttp2 ? () => this.over(socket, true) : this.closed);
  }

  private over(socket: Socket, isKept: boolean): void {
    const others = requestsOn(socket) - 1;
    (socket as WatchedSocket)[UNDER_WAY] = others;
    if (others > 0) return;
    if (!isKept) this.unwatch(socket);
    else if (!socket.destroyed) this.idle.add(socket);
  }

  private sessionSocket({ stream }: Http2ServerRequest): Socket | undefined {
    return stream.session && this.sessions.get(stream.session);
  }
}

function requestsOn(socket: WatchedSocket): number {
  return socket[UNDER_WAY] ?? 0;
}

function nameOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
