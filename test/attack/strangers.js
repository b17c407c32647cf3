import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { HUB, token } from './hub.js';

export const FORM = 'application/x-www-form-urlencoded';
export const NDJSON = 'application/x-ndjson';
export const TRUST = { rejectUnauthorized: false };

const PUBLISH = token('publish');

export function matchers(count, make, name = 'match_urlpattern') {
  return Array.from({ length: count }, (_, one) => `${name}=${encodeURIComponent(make(one))}`).join('&');
}

/** A stream, with a token if there is one, and all that has come of it, up to the text `last`. */
export function listen(port, path, authorization, last = '\0') {
  const reader = { text: '' };
  const sent = request({ port, path, agent: false, headers: authorization ? { authorization } : {} }, (response) => {
    response.setEncoding('utf8').on('data', (part) => {
      reader.text += part;
      if (reader.text.includes(last)) sent.destroy();
    });
    response.on('error', () => undefined);
  });
  const closed = new Promise((resolve) => sent.on('error', resolve).on('close', resolve));
  reader.destroy = () => sent.destroy();
  reader.isOver = async (patience) => {
    await Promise.race([closed, delay(patience, undefined, { ref: false })]);
    sent.destroy();
  };
  sent.end();
  return reader;
}

/** Publishes 3,000 updates with topics of their own. */
export async function fill({ port }) {
  for (let part = 0; part < 30; part += 1) {
    const line = (_, one) =>
      JSON.stringify({ topic: `https://t.example/${part}-${one}-${'ab'.repeat(30)}`, data: 'x' });
    const body = Array.from({ length: 100 }, line).join('\n');
    // oxlint-disable-next-line no-await-in-loop -- as a backend does
    await ask(port, { method: 'POST', path: `${HUB}/batch`, type: NDJSON, body });
  }
}

/** A stream that is read and stays. */
export function stream(port, query, begin = request, authorization) {
  const body = query.length > 10_000 ? query : undefined;
  const options = {
    ...TRUST,
    port,
    agent: false,
    method: body ? 'QUERY' : 'GET',
    path: body ? HUB : `${HUB}?${query}`,
  };
  const headers = body ? { 'content-type': FORM, 'content-length': Buffer.byteLength(body) } : {};
  if (authorization) headers.authorization = authorization;
  const sent = begin({ ...options, headers }, (response) => response.resume().on('error', () => undefined));
  sent.on('error', () => undefined).end(body);
  return sent;
}

const agent = new Agent({ keepAlive: true });

/**
 * Resolves with the status, or 0 without one, once the answer is over, or the patience is: the client then leaves.
 * `begin` is another way to begin a request than plain HTTP.
 */
export function ask(port, { method = 'GET', path, body, type = FORM, authorization, patience = 30_000, begin }) {
  const headers = body === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(body) };
  if (authorization ?? method === 'POST') headers.authorization = authorization ?? `Bearer ${PUBLISH}`;
  return new Promise((resolve) => {
    let status = 0;
    const options = { ...TRUST, port, method, path, headers, agent: method === 'POST' && !begin ? agent : false };
    const sent = (begin ?? request)(options, (response) => {
      response.resume().on('error', () => undefined);
      status = response.statusCode;
    });
    const timer = setTimeout(() => sent.destroy(), patience);
    sent
      .on('error', () => undefined)
      .on('close', () => {
        clearTimeout(timer);
        resolve(status);
      });
    sent.end(body);
  });
}
