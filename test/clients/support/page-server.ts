import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { extname } from 'node:path';

const MODULES = new URL('../../../node_modules/', import.meta.url);

/** The files of the clients as they are published, under the names by which the page imports them. */
const IMPORTS = {
  '@microsoft/fetch-event-source': '/@microsoft/fetch-event-source/lib/esm/index.js',
  'event-source-polyfill': '/event-source-polyfill/src/eventsource.js',
  'reconnecting-eventsource': '/reconnecting-eventsource/build/esm/reconnecting-eventsource.js',
  'sse.js': '/sse.js/lib/sse.js',
};

const PAGE = `<!doctype html><meta charset="utf-8"><title>Clients</title><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`;

/** Serves an empty page that can import the clients. It has an origin of its own, like most users of a hub. */
export class PageServer implements AsyncDisposable {
  private constructor(private readonly server: Server) {}

  static async start(): Promise<PageServer> {
    const server = createServer((request, response) => {
      const path = request.url ?? '/';
      if (path === '/') return void response.setHeader('content-type', 'text/html').end(PAGE);
      // Some of the published files import each other without the extension.
      const file = new URL(extname(path) === '' ? `.${path}.js` : `.${path}`, MODULES);
      readFile(file).then(
        (script) => response.setHeader('content-type', 'text/javascript').end(script),
        () => response.writeHead(404).end(),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PageServer(server);
  }

  get origin(): string {
    const address = this.server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}
