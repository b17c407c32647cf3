import type { Server, Socket } from 'node:net';

/** The sockets of a server, whatever is spoken on them, for those that are left at the end. */
export class OpenSockets {
  private readonly sockets = new Set<Socket>();

  constructor(server: Server) {
    const { sockets } = this;
    // Shared by all sockets, because each closure would cost every stream memory.
    function forget(this: Socket): void {
      sockets.delete(this);
    }
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', forget);
    });
  }

  closeAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}
