import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { requestIdOf } from '../trace/request-id.js';
import { hasBody, showBody } from './hidden-body.js';
import type { HubRequest } from './hub-request.js';

/** What Express adds to Node's request. */
export interface ExpressIncoming extends IncomingMessage {
  readonly originalUrl?: string | undefined;
  readonly protocol: string;
  readonly ip?: string | undefined;
  readonly host?: string | undefined;
  readonly route?: { readonly path?: unknown } | undefined;
  /** What a body parser has made of the body. */
  readonly body?: unknown;
  /** What a middleware of the application's may have named the request. */
  readonly id?: unknown;
  /** Where guards leave what they have found out. */
  grants?: unknown;
}

/** Bytes that a body for the hub may have, as with Fastify where nothing else is said. */
const BODY_LIMIT = 1024 ** 2;

/** A request of Express's. Its body is unread, unless somebody else has been before the hub. */
export class ExpressRequest implements HubRequest {
  readonly id: string;
  body: unknown;

  constructor(readonly raw: ExpressIncoming) {
    showBody(raw);
    this.id = typeof raw.id === 'string' ? raw.id : requestIdOf(raw.headers);
    this.body = hasBody(raw) && !raw.readableDidRead ? raw : raw.body;
  }

  get method(): string {
    return this.raw.method ?? '';
  }

  get url(): string {
    return this.raw.originalUrl ?? this.raw.url ?? '';
  }

  get headers(): IncomingHttpHeaders {
    return this.raw.headers;
  }

  get ip(): string {
    return this.raw.ip ?? '';
  }

  get protocol(): string {
    return this.raw.protocol;
  }

  get host(): string {
    return this.raw.host ?? '';
  }

  get routeOptions(): HubRequest['routeOptions'] {
    const path = this.raw.route?.path;
    return { url: typeof path === 'string' ? path : undefined, bodyLimit: BODY_LIMIT };
  }

  /** Kept where an application's own guards and `@Sse()` handlers look for it. */
  get grants(): unknown {
    return this.raw.grants;
  }

  set grants(found: unknown) {
    this.raw.grants = found;
  }
}
