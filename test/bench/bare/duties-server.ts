/**
 * The smallest program in bare Node that does what a hub owes its users for each publication, line of a batch and stream:
 * tokens, checks, an id, a log that is bounded and looked up by id and topic, a sealed cursor, bounds and counts. What it
 * costs beyond `bare-server.ts` is what these duties cost; Herald's framework, refusals and slow readers come on top.
 */
import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { DutyLog, type Update } from './duty-log.js';
import { DutyStreams } from './duty-streams.js';

const SECRET = process.env['SECRET'] ?? '';
const BODY = 1024 ** 2;
const TOPIC = 4_096;

const HEAD = { 'cache-control': 'private', 'x-content-type-options': 'nosniff' };

const streams = new DutyStreams();
const log = new DutyLog((update, topic) => streams.send(update, topic));

interface Grants {
  readonly topics: readonly string[];
  readonly until: number;
}

/** Tokens that have been verified. */
const verified = new Map<string, Grants>();

let requests = 0;

/** What a request may publish; undefined where its token is none. */
function grantsOf({ headers }: IncomingMessage): Grants | undefined {
  const { authorization = '' } = headers;
  const known = verified.get(authorization) ?? verify(authorization);
  return known && known.until > Date.now() ? known : undefined;
}

function verify(authorization: string): Grants | undefined {
  const [, head, payload = '', signature] = /^bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/i.exec(authorization) ?? [];
  const expected = createHmac('sha256', SECRET).update(`${head}.${payload}`).digest('base64url');
  if (signature !== expected) return undefined;
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Grants;
  verified.set(authorization, claims);
  return claims;
}

/** An update as it is stored; throws where something is wrong with it. */
function checked(topic: unknown, data: unknown, { topics }: Grants): Update {
  if (typeof topic !== 'string' || topic === '' || topic.length > TOPIC || /\p{Cc}/u.test(topic))
    throw new Error('topic');
  if (typeof data !== 'string') throw new Error('data');
  if (!topics.includes('*') && !topics.includes(topic)) throw new Error('scope');
  return { id: `urn:uuid:${randomUUID()}`, topic, data };
}

function answer(response: ServerResponse, status: number, text: string): void {
  requests += 1;
  response.writeHead(status, { ...HEAD, 'content-type': 'text/plain; charset=utf-8', 'x-request-id': `x-${requests}` });
  response.end(text);
}

function publish(request: IncomingMessage, response: ServerResponse): void {
  const grants = grantsOf(request);
  if (!grants) return answer(response, 401, 'token');
  if (Number(request.headers['content-length'] ?? 0) > BODY) return answer(response, 413, 'body');
  let body = '';
  request.setEncoding('utf8').on('data', (part: string) => {
    body += part;
    if (body.length > BODY) request.destroy();
  });
  request.on('end', () => {
    try {
      const fields = new URLSearchParams(body);
      answer(response, 200, log.append(checked(fields.get('topic'), fields.get('data'), grants), undefined));
    } catch (error) {
      answer(response, 400, String(error));
    }
  });
}

interface Line {
  readonly topic: unknown;
  readonly data: unknown;
  readonly key: string;
}

function addLine(line: string, grants: Grants): string {
  try {
    const { topic, data, key } = JSON.parse(line) as Line;
    return JSON.stringify({ id: log.append(checked(topic, data, grants), key) });
  } catch (error) {
    return JSON.stringify({ error: String(error) });
  }
}

/** A batch without an end: each line is answered when it comes. */
function publishLines(request: IncomingMessage, response: ServerResponse): void {
  const grants = grantsOf(request);
  if (!grants) return answer(response, 401, 'token');
  let rest = '';
  response.writeHead(200, { ...HEAD, 'content-type': 'application/x-ndjson' });
  request.setEncoding('utf8').on('data', (part: string) => {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > BODY) request.destroy();
    if (lines.length > 0) response.write(lines.map((line) => `${addLine(line, grants)}\n`).join(''));
  });
  request.on('end', () => response.end());
}

createServer((request, response) => {
  const { method, url = '/' } = request;
  if (url === '/ready') response.end('ready');
  else if (url === '/batch') publishLines(request, response);
  else if (method === 'POST') publish(request, response);
  else streams.begin(request, response, log.position);
}).listen({ port: Number(process.env['PORT']), host: '127.0.0.1', backlog: 4_096 });
