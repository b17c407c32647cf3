import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { ExpressIncoming } from './express-request.js';
import type { HubReply } from './hub-reply.js';
import type { HubRequest } from './hub-request.js';

/** What Express adds to Node's response. */
export interface ExpressResponse extends ServerResponse {
  readonly req: ExpressIncoming;
  send: (body?: unknown) => ExpressResponse;
  json: (body?: unknown) => ExpressResponse;
}

/** A response of Express's. It is sent by Node's means, because Express's own change the type and add an entity tag. */
export class ExpressReply implements HubReply {
  private isTaken = false;

  constructor(
    readonly raw: ExpressResponse,
    readonly request: HubRequest,
  ) {}

  get sent(): boolean {
    return this.isTaken || this.raw.headersSent || this.raw.writableEnded;
  }

  getHeader(name: string): number | string | string[] | undefined {
    return this.raw.getHeader(name);
  }

  getHeaders(): OutgoingHttpHeaders {
    return this.raw.getHeaders();
  }

  header(name: string, value: number | string | string[]): this {
    if (!this.raw.headersSent) this.raw.setHeader(name, value);
    return this;
  }

  status(status: number): this {
    this.raw.statusCode = status;
    return this;
  }

  send(payload?: string | object): this {
    if (this.sent) return this;
    const text = typeof payload === 'object' ? JSON.stringify(payload) : payload;
    if (text !== undefined) this.header('content-length', Buffer.byteLength(text));
    this.raw.end(text);
    return this;
  }

  /** Nest answers by these two methods, also after a handler that has answered, or an interceptor that has failed. */
  hijack(): this {
    this.isTaken = true;
    const doNothing = (): ExpressResponse => this.raw;
    this.raw.send = doNothing;
    this.raw.json = doNothing;
    return this;
  }
}
