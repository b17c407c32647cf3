import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

/** A server that takes Herald's place and answers everything with one status: what a proxy does when Herald is away. */
export class StandIn implements AsyncDisposable {
  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(port: number, status: number): Promise<StandIn> {
    const server = createServer((_request, response) => response.writeHead(status).end()).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new StandIn(server, port);
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
