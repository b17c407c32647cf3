import type { HubRequest } from '../../shared/exchange/hub-request.js';
import { namesOf } from '../../shared/trace/request-id.js';
import { isStream } from '../../streams/registry/stream-request.js';

/** `debug` is for what comes every few seconds, and would fill the log. */
export type RequestLevel = 'info' | 'debug';

/** What a line says of a request and its answer. */
export interface RequestLine {
  /** The request's id, which its answer has as `X-Request-Id`. */
  readonly requestId: string;
  /** The id of the distributed trace that it belongs to, where its sender has named one. */
  readonly traceId: string | undefined;
  readonly method: string;
  /** Without the query, which may hold a secret. */
  readonly path: string;
  readonly status: number;
  /** Milliseconds from the request to the end of its answer. */
  readonly ms: number;
  /** The client's address, as far as proxies are trusted to tell it. */
  readonly address: string;
  readonly msg: 'request';
}

/** Which requests have lines, and what takes those. */
export interface RequestLinesOptions {
  /** All that are answered, or those that were refused or have failed: with a status of 400 or above. */
  readonly log: 'all' | 'errors';
  /** The level of the lines of a path. Default: `debug` for `/metrics`, `/healthz` and what is below `/health/`. */
  readonly level?: ((path: string) => RequestLevel) | undefined;
  /** Whether lines of this level are taken: those that are not cost nothing. Default: yes. */
  readonly isEnabled?: (level: RequestLevel) => boolean;
  readonly write: (line: RequestLine, level: RequestLevel) => void;
}

/** The lowest status that says that a request was refused or has failed. */
const ERRORS = 400;

/** Writes the lines about requests, whichever framework answers them. */
export class RequestLines {
  private readonly lowest: number;
  private readonly level: (path: string) => RequestLevel;
  private readonly isEnabled: (level: RequestLevel) => boolean;
  private readonly write: RequestLinesOptions['write'];

  constructor({ log, level = usualLevel, isEnabled = () => true, write }: RequestLinesOptions) {
    this.lowest = log === 'errors' ? ERRORS : 0;
    this.level = level;
    this.isEnabled = isEnabled;
    this.write = write;
  }

  /**
   * A request was answered. Streams are passed over: they have two lines of their own, when they open and when they close.
   * @param ms milliseconds that it has taken.
   */
  note(request: HubRequest, status: number, ms: number): void {
    if (status < this.lowest) return;
    const path = pathOf(request.url);
    const level = this.level(path);
    if (this.isEnabled(level) && !isStream(request.raw)) this.write(lineOf(request, { path, status, ms }), level);
  }
}

/** Health probes and scrapes come every few seconds. */
function usualLevel(path: string): RequestLevel {
  return /^\/(?:health(?:\/|z$)|metrics$)/.test(path) ? 'debug' : 'info';
}

function lineOf(request: HubRequest, { path, status, ms }: Pick<RequestLine, 'path' | 'status' | 'ms'>): RequestLine {
  const { requestId, traceId } = namesOf(request);
  // Named one by one: an object that is spread took the log a fifth of a publication's time. What is undefined is left out.
  return {
    requestId,
    traceId,
    method: request.method,
    path,
    status,
    ms: Math.round(ms),
    address: request.ip,
    msg: 'request',
  };
}

/** A target may be a URL, with a user in it, where a client takes this server for a proxy. */
function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  const path = end === -1 ? target : target.slice(0, end);
  if (path.startsWith('/')) return path;
  return URL.canParse(path) ? new URL(path).pathname : '*';
}
