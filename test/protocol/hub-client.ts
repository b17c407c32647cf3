import type { IncomingHttpHeaders } from 'node:http';
import { send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { type Fields, form, HUB } from '../support/hub.js';

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** What a refusal calls itself. */
  readonly code: string | undefined;
}

export type Headers = Readonly<Record<string, string | readonly string[]>>;

export interface Ask {
  readonly method?: string;
  /** Under the hub's own path, or from the root when it begins with `//`. */
  readonly path?: string;
  readonly headers?: Headers;
  readonly body?: string | Buffer;
}

/** Sends a request to the hub and reads the whole answer: for what is refused, and for everything but streams. */
export async function ask(herald: Herald, { method = 'GET', path = '', headers = {}, body }: Ask): Promise<Answer> {
  const url = path.startsWith('//') ? herald.url + path.slice(1) : herald.url + HUB + path;
  const response = await send(url, { method, headers: headers as Record<string, string> }, body);
  const text = await textOf(response);
  const isProblem = response.headers['content-type']?.startsWith('application/problem+json') === true;
  const code = isProblem && text ? (JSON.parse(text) as { code?: string }).code : undefined;
  return { status: response.statusCode ?? 0, headers: response.headers, text, code };
}

/** Publishes a form as it stands, with this token. */
export function post(herald: Herald, token: string | undefined, body: string | Buffer | Fields, more: Headers = {}) {
  const content = typeof body === 'string' || Buffer.isBuffer(body) ? body : form(body);
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...bearer(token), ...more };
  return ask(herald, { method: 'POST', headers, body: content });
}

export function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

export function challengeOf({ headers }: Answer): string {
  return headers['www-authenticate'] ?? '';
}

/** A part of a token. */
export function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
