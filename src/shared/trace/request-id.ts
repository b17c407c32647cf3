import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Names of requests that are taken as they come: long enough for any usual one, and nothing that a log could misread. */
const SANE = /^[\w.:/+=-]{1,128}$/;

/** What the names that this process makes begin with, so that no other process makes the same. */
const OWN = `${randomBytes(9).toString('base64url')}-`;

let made = 0;

/**
 * The name of a request in log lines and answers: its own `X-Request-Id` where that is sane, otherwise one that no other
 * request has, at whatever process. Whoever sends the same name twice has two requests of that name.
 */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && SANE.test(given) ? given : makeRequestId();
}

/** A name for a request that could not be read. */
export function makeRequestId(): string {
  made += 1;
  return OWN + made.toString(36);
}
