import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/**
 * A request, as far as the hub has to do with it. Fastify's own requests are such ones as they are; `hubRequestOf` makes one
 * of Express's.
 */
export interface HubRequest {
  /** The request's name in log lines. */
  readonly id: string;
  readonly method: string;
  /** The path and the query as the client has sent them. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The client's address, as far as proxies are trusted to tell it. */
  readonly ip: string;
  /** `http` or `https`, as far as proxies are trusted to tell it. */
  readonly protocol: string;
  /** The host and the port that the client has named, or an empty text. */
  readonly host: string;
  /** Node's request. */
  readonly raw: IncomingMessage;
  /** What has been read of the body; the same as `raw` while that is yet to be done. */
  body: unknown;
  readonly routeOptions: {
    /** The path of the route, undefined where there is none. */
    readonly url: string | undefined;
    /** Bytes that a body may have. */
    readonly bodyLimit: number;
  };
}
