import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What comes of a line, or of the request itself. */
export interface LineHubListener {
  /** A request has come. */
  readonly begun?: (response: ServerResponse, number: number) => void;
  /** One more of its lines has come. */
  readonly line?: (response: ServerResponse, lines: readonly string[]) => void;
}

/** In place of a hub: gets batches, and answers as the test says. */
export class LineHub implements AsyncDisposable {
  /** Requests so far. */
  requests = 0;
  /** Requests whose body has come to its proper end. */
  ended = 0;

  private constructor(private readonly server: Server) {}

  static async start({ begun, line }: LineHubListener): Promise<LineHub> {
    const server = createServer();
    const hub = new LineHub(server);
    server.on('request', (request, response) => {
      hub.requests += 1;
      begun?.(response, hub.requests);
      const lines: string[] = [];
      let text = '';
      request.on('end', () => {
        hub.ended += 1;
        response.end();
      });
      request
        .on('error', () => undefined)
        .on('data', (part: Buffer) => {
          const parts = (text + part.toString()).split('\n');
          text = parts.pop() ?? '';
          for (const one of parts) {
            lines.push(one);
            line?.(response, lines);
          }
        });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return hub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
