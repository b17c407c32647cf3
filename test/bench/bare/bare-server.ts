/**
 * The smallest hub in bare Node, without anything that a hub needs in production: what a connection and a publication cost
 * there is what Node and the kernel cost. It answers with the same head as Herald.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Topic, topicOf } from './topics.js';

const SHORT_HEAD = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'private' };

/** Updates whose ids and keys are known. */
const HELD = 100_000;

function publish(request: IncomingMessage, response: ServerResponse, topic: Topic): void {
  let data = '';
  request.setEncoding('utf8').on('data', (part: string) => (data += part));
  request.on('end', () => {
    response.writeHead(200, SHORT_HEAD);
    response.end(topic.add(data));
  });
}

interface Line {
  readonly topic: string;
  readonly data: string;
  readonly key: string;
}

/** The ids that the newest updates of batches have been given, by their keys. */
const idsOfKeys = new Map<string, string>();
const keys: string[] = [];
/** Where in `keys` the next one goes, in place of the oldest. */
let next = 0;

function addLine(line: string): string {
  const { topic, data, key } = JSON.parse(line) as Line;
  const known = idsOfKeys.get(key);
  if (known !== undefined) return known;
  const id = topicOf(topic).add(data);
  const oldest = keys[next];
  if (oldest !== undefined) idsOfKeys.delete(oldest);
  keys[next] = key;
  next = (next + 1) % HELD;
  idsOfKeys.set(key, id);
  return id;
}

/** A batch without an end: each line is answered when it comes. */
function publishLines(request: IncomingMessage, response: ServerResponse): void {
  let rest = '';
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  request.setEncoding('utf8').on('data', (part: string) => {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) response.write(lines.map((line) => `{"id":"${addLine(line)}"}\n`).join(''));
  });
  request.on('end', () => response.end());
}

createServer((request, response) => {
  const path = request.url ?? '/';
  if (path === '/ready') response.end('ready');
  else if (path === '/batch') publishLines(request, response);
  else if (request.method === 'POST') publish(request, response, topicOf(path));
  else topicOf(path).subscribe(request, response);
}).listen({ port: Number(process.env['PORT']), host: '127.0.0.1', backlog: 4_096 });
