/**
 * The smallest program in bare Node that does what a hub owes its users for each publication, line of a batch and stream:
 * tokens, checks, an id, a log that is bounded and looked up by id and topic, a sealed cursor, bounds and counts. What it
 * costs beyond `bare-server.ts` is what these duties cost; Herald's framework, refusals and slow readers come on top.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { BODY, Duties } from './duties.js';

const duties = new Duties(process.env['SECRET'] ?? '');

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, duties.headersOf('text/plain; charset=utf-8'));
  response.end(text);
}

function publish(request: IncomingMessage, response: ServerResponse): void {
  const grants = duties.grantsOf(request.headers.authorization);
  if (!grants) return answer(response, 401, 'token');
  if (Number(request.headers['content-length'] ?? 0) > BODY) return answer(response, 413, 'body');
  let body = '';
  request.setEncoding('utf8').on('data', (part: string) => {
    body += part;
    if (body.length > BODY) request.destroy();
  });
  request.on('end', () => {
    try {
      answer(response, 200, duties.publish(body, grants));
    } catch (error) {
      answer(response, 400, String(error));
    }
  });
}

/** A batch without an end: each line is answered when it comes. */
function publishLines(request: IncomingMessage, response: ServerResponse): void {
  const grants = duties.grantsOf(request.headers.authorization);
  if (!grants) return answer(response, 401, 'token');
  let rest = '';
  response.writeHead(200, duties.headersOf('application/x-ndjson'));
  request.setEncoding('utf8').on('data', (part: string) => {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > BODY) request.destroy();
    if (lines.length > 0) response.write(lines.map((line) => `${duties.publishLine(line, grants)}\n`).join(''));
  });
  request.on('end', () => response.end());
}

createServer((request, response) => {
  const { method, url = '/' } = request;
  if (url === '/ready') response.end('ready');
  else if (url === '/batch') publishLines(request, response);
  else if (method === 'POST') publish(request, response);
  else duties.streams.begin(request, response, duties.log.position);
}).listen({ port: Number(process.env['PORT']), host: '127.0.0.1', backlog: 4_096 });
