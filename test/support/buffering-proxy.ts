import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as requestHttp,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { Target } from './stream-client.js';

/** A proxy that forwards a request once it is whole, and an answer once that is, as some do. */
export class BufferingProxy implements AsyncDisposable {
  private constructor(private readonly server: Server) {}

  static async before(target: Target): Promise<BufferingProxy> {
    const server = createServer((request, response) => {
      // Of a request that breaks off it forwards nothing.
      forward(target, request, response).catch(() => response.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new BufferingProxy(server);
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

async function forward({ url }: Target, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(request);
  const { method = 'GET', url: path = '', headers } = request;
  const { 'transfer-encoding': _, ...kept } = headers;
  const forwarded = requestHttp(url + path, { method, headers: { ...kept, 'content-length': body.length } });
  forwarded.end(body);
  const [answer] = (await once(forwarded, 'response')) as [IncomingMessage];
  const text = await buffer(answer);
  const { 'transfer-encoding': __, ...answered } = answer.headers;
  response.writeHead(answer.statusCode ?? 502, { ...answered, 'content-length': text.length }).end(text);
}
