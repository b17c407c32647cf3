import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What an application was asked. */
export interface Asked {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

type Respond = (asked: Asked, response: ServerResponse) => void;

/** An application that has users with sessions, as far as a hub sees of it. */
export class Application implements AsyncDisposable {
  readonly asked: Asked[] = [];
  /** Questions that are under way, and the most that have been at once. */
  underWay = 0;
  most = 0;
  respond: Respond;

  private constructor(
    private readonly server: Server,
    respond: Respond,
  ) {
    this.respond = respond;
  }

  static async start(respond: Respond): Promise<Application> {
    const server = createServer();
    const application = new Application(server, respond);
    server.on('request', (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => (text += part));
      request.on('end', () => {
        const { method, headers } = request;
        const asked: Asked = { method, headers, body: JSON.parse(text) as Asked['body'] };
        application.asked.push(asked);
        application.underWay += 1;
        application.most = Math.max(application.most, application.underWay);
        response.once('close', () => (application.underWay -= 1));
        application.respond(asked, response);
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return application;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/herald/authorize`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** Answers with JSON. */
export function grant(response: ServerResponse, answer: object, cacheControl?: string): void {
  response.writeHead(200, {
    'content-type': 'application/json',
    ...(cacheControl !== undefined && { 'cache-control': cacheControl }),
  });
  response.end(JSON.stringify(answer));
}
