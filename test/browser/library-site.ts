import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import type { Herald } from '../support/herald.js';

const PAGE = '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>library</title>';

const FOR_ALL = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' };

/** An application's site: a page of its own, and Herald behind the same origin, which it can cut off. */
export class LibrarySite implements AsyncDisposable {
  /** Streams of the hub that are open now. */
  readonly streams = new Set<ServerResponse>();
  /** What pages have reported. */
  readonly reports: string[] = [];
  /** Streams that were asked for so far. */
  asked = 0;
  /** How often streams have said where they are, and nothing else. */
  cursors = 0;
  private isAway = false;
  private policy: string | undefined;
  private isForAll = false;
  private readonly watchers = new Set<() => void>();
  private readonly held = new Set<ServerResponse>();

  protected constructor(
    private readonly server: Server,
    private readonly herald: Pick<Herald, 'url'>,
  ) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.answer(request, response));
  }

  static async before(herald: Pick<Herald, 'url'>): Promise<LibrarySite> {
    return new LibrarySite(await LibrarySite.listen(), herald);
  }

  protected static async listen(): Promise<Server> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Resolves once exactly `count` streams are open. */
  has(count: number): Promise<void> {
    return this.until(() => this.streams.size === count);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const watcher = (): void => {
          this.watchers.delete(watcher);
          resolve();
        };
        this.watchers.add(watcher);
      });
    }
  }

  /** Cuts every connection, and those that come, until `comeBack`. */
  goAway(): void {
    this.isAway = true;
    this.server.closeAllConnections();
    for (const stream of this.streams) stream.destroy();
  }

  comeBack(): void {
    this.isAway = false;
  }

  /** The open streams stay open and carry nothing more. */
  stall(): void {
    for (const stream of this.streams) stream.emit('stall');
  }

  /** Answers the pages that `getStuck` has stopped. */
  release(): void {
    for (const response of this.held) response.writeHead(204).end();
    this.held.clear();
  }

  /** Its page gets the Content-Security-Policy that Herald has for its own. */
  async takePolicy(): Promise<void> {
    const { headers } = await fetch(this.herald.url);
    this.policy = headers.get('content-security-policy') ?? undefined;
  }

  /** Pages of any origin may load the library and read, also those that have none. */
  shareWithAll(): void {
    this.isForAll = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.goAway();
    this.server.close();
    await once(this.server, 'close');
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.isAway) request.socket.destroy();
    else if (request.url === '/') this.servePage(response);
    else if (request.url === '/held') this.held.add(response);
    else if (request.url === '/silent.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(';');
    else if (request.url?.startsWith('/report/')) this.note(request.url.slice('/report/'.length), response);
    else this.pass(request, response);
  }

  /** What is not the site's own. */
  protected pass(request: IncomingMessage, response: ServerResponse): void {
    this.forward(request, response);
  }

  /** What a page gets of the hub's answer: all of it. */
  protected filter(answer: IncomingMessage): Readable {
    return answer;
  }

  private note(report: string, response: ServerResponse): void {
    this.reports.push(report);
    response.writeHead(204).end();
    this.tell();
  }

  private servePage(response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/html',
      ...(this.policy !== undefined && { 'content-security-policy': this.policy }),
    });
    response.end(PAGE);
  }

  protected forward(request: IncomingMessage, response: ServerResponse): void {
    const { method, url = '' } = request;
    const headers = headersOf(request);
    const target = httpRequest(this.herald.url + url, { method, headers, agent: false }, (answer) => {
      // What is between each two: to a client of HTTP/1.0 a body is not sent in chunks, and HTTP/2 has no such headers.
      const { 'transfer-encoding': _framing, connection: _, 'keep-alive': _time, ...answered } = answer.headers;
      response.writeHead(answer.statusCode ?? 500, { ...answered, ...(this.isForAll && FOR_ALL) });
      response.flushHeaders();
      const filtered = this.filter(answer);
      filtered.pipe(response);
      answer.on('error', () => response.destroy());
      if (answer.headers['content-type'] === 'text/event-stream; charset=utf-8') this.track(response, filtered);
    });
    target.on('error', () => response.destroy());
    response.on('close', () => target.destroy());
    request.pipe(target);
  }

  private track(response: ServerResponse, answer: Readable): void {
    this.asked += 1;
    this.streams.add(response);
    answer.on('data', (piece: Buffer) => {
      this.cursors += piece.toString('latin1').split('{"type":"cursor"}').length - 1;
      this.tell();
    });
    response.on('stall', () => answer.unpipe(response));
    response.on('close', () => {
      this.streams.delete(response);
      this.tell();
    });
    this.tell();
  }

  private tell(): void {
    for (const watcher of this.watchers) watcher();
  }
}

/** As HTTP/1.1 has them, also where the request came over HTTP/2. */
function headersOf({ headers }: IncomingMessage): IncomingHttpHeaders {
  const host = headers.host ?? (headers[':authority'] as string | undefined);
  const usual = Object.entries(headers).filter(([name]) => !name.startsWith(':'));
  return { ...Object.fromEntries(usual), host };
}

/** Runs in a page, which does nothing else then until its site releases it. A loop would cost a core that others need. */
export function getStuck(): void {
  const request = new XMLHttpRequest();
  request.open('GET', '/held', false);
  request.send();
}
