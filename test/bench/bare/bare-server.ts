/**
 * The smallest hub in bare Node, without anything that a hub needs in production: what a connection and a publication cost
 * there is what Node and the kernel cost. It answers with the same head as Herald.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const SHORT_HEAD = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'private' };
const STREAM_HEAD = {
  'content-security-policy':
    "default-src 'none';script-src 'self';style-src 'self';connect-src 'self';img-src 'self' data:;font-src 'self';manifest-src 'self';base-uri 'none';form-action 'none';frame-ancestors 'none';require-trusted-types-for 'script'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
  'herald-heartbeat': '15',
  'herald-process': 'OZyzmeYjSRnz',
  'content-type': 'text/event-stream',
  'cache-control': 'private, no-cache, no-store, must-revalidate, max-age=0, no-transform',
  'x-accel-buffering': 'no',
};
const FIRST = `retry: 2345\nid: herald-cursor:${'x'.repeat(59)}\nevent: herald\ndata: {"type":"cursor"}\n\n`;

/** Events that a topic remembers for those who come back. */
const REMEMBERED = 10_100;

interface Topic {
  readonly readers: Set<ServerResponse>;
  readonly events: string[];
  /** How many events have been forgotten. */
  forgotten: number;
}

const topics = new Map<string, Topic>();

function topicOf(name: string): Topic {
  const known = topics.get(name);
  if (known) return known;
  const topic: Topic = { readers: new Set(), events: [], forgotten: 0 };
  topics.set(name, topic);
  return topic;
}

function subscribe(request: IncomingMessage, response: ServerResponse, topic: Topic): void {
  response.writeHead(200, STREAM_HEAD);
  const lastId = request.headers['last-event-id'];
  const missed = lastId === undefined ? [] : topic.events.slice(Number(lastId) - topic.forgotten);
  response.write(FIRST + missed.join(''));
  topic.readers.add(response);
  response.on('close', () => topic.readers.delete(response));
}

function publish(request: IncomingMessage, response: ServerResponse, topic: Topic): void {
  let data = '';
  request.setEncoding('utf8').on('data', (part: string) => (data += part));
  request.on('end', () => {
    const id = topic.forgotten + topic.events.length + 1;
    const event = `id: ${id}\ndata: ${data}\n\n`;
    topic.events.push(event);
    if (topic.events.length > REMEMBERED) topic.forgotten += topic.events.splice(0, 100).length;
    response.writeHead(200, SHORT_HEAD);
    response.end(`urn:uuid:123e4567-e89b-12d3-a456-${String(id).padStart(12, '0')}`);
    for (const reader of topic.readers) reader.write(event);
  });
}

createServer((request, response) => {
  const path = request.url ?? '/';
  if (path === '/ready') response.end('ready');
  else if (request.method === 'POST') publish(request, response, topicOf(path));
  else subscribe(request, response, topicOf(path));
}).listen({ port: Number(process.env['PORT']), host: '127.0.0.1', backlog: 4_096 });
