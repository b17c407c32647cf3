import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2Session } from 'node:http2';
import type { Socket } from 'node:net';

/**
 * The sockets of a server on which no request is under way: idle connections, those that have not asked for anything yet,
 * and TLS handshakes that are not over. A stream is a request under way. Whoever needs a place takes it from the one that
 * has been idle for longest.
 */
export class IdleSockets {
  /** The one that has been idle for longest comes first. */
  private readonly idle = new Set<Socket>();
  /** How many requests are under way on a socket, where that is not 0. */
  private readonly busy = new WeakMap<Socket, number>();
  /** The sockets below TLS whose handshakes are not over, by the addresses of both ends. */
  private readonly handshakes = new Map<string, Socket>();
  private readonly sessions = new WeakMap<Http2Session, Socket>();
  /** Shared by all sockets, because each closure would cost every stream memory. */
  private readonly forget: (this: Socket) => void;

  constructor(server: Server) {
    const { idle, handshakes } = this;
    const isTls = 'setSecureContext' in server;
    this.forget = function forget() {
      idle.delete(this);
      if (isTls) handshakes.delete(nameOf(this));
    };
    server.on('connection', (socket: Socket) => (isTls ? this.shakesHands(socket) : this.add(socket)));
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

  private add(socket: Socket): void {
    if (socket.destroyed || this.idle.has(socket)) return;
    this.idle.add(socket);
    socket.once('close', this.forget);
  }

  private remove(socket: Socket): void {
    if (this.idle.delete(socket)) socket.off('close', this.forget);
  }

  private shakesHands(socket: Socket): void {
    this.handshakes.set(nameOf(socket), socket);
    this.add(socket);
  }

  private followTls(server: Server): void {
    // A session does not expose its socket, but the server emits both events in one turn, the socket's first.
    let current: Socket;
    server.prependListener('secureConnection', (socket: Socket) => {
      current = socket;
      const name = nameOf(socket);
      const below = this.handshakes.get(name);
      this.handshakes.delete(name);
      if (below) this.remove(below);
      this.add(socket);
    });
    server.on('session', (session: Http2Session) => this.sessions.set(session, current));
  }

  private begin(request: IncomingMessage, response: ServerResponse): void {
    // A request of HTTP/1.1 may say anything of its version.
    const isHttp2 = 'stream' in request;
    const socket = isHttp2 ? this.sessionSocket(request as unknown as Http2ServerRequest) : request.socket;
    if (!socket) return;
    this.remove(socket);
    this.busy.set(socket, (this.busy.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const others = (this.busy.get(socket) ?? 1) - 1;
      if (others > 0) return void this.busy.set(socket, others);
      this.busy.delete(socket);
      // A response of HTTP/1.1 that closes before its end has been cut, or a stream has taken its socket over.
      if (isHttp2 || response.writableFinished) this.add(socket);
    });
  }

  private sessionSocket({ stream }: Http2ServerRequest): Socket | undefined {
    return stream.session && this.sessions.get(stream.session);
  }
}

function nameOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
