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

/** Updates whose ids and keys are known. */
const HELD = 100_000;

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

/** Remembers an event and sends it to the topic's readers. Returns what the publisher is told. */
function add(topic: Topic, data: string): string {
  const id = topic.forgotten + topic.events.length + 1;
  const event = `id: ${id}\ndata: ${data}\n\n`;
  topic.events.push(event);
  if (topic.events.length > REMEMBERED) topic.forgotten += topic.events.splice(0, 100).length;
  for (const reader of topic.readers) reader.write(event);
  return `urn:uuid:123e4567-e89b-12d3-a456-${String(id).padStart(12, '0')}`;
}

function publish(request: IncomingMessage, response: ServerResponse, topic: Topic): void {
  let data = '';
  request.setEncoding('utf8').on('data', (part: string) => (data += part));
  request.on('end', () => {
    response.writeHead(200, SHORT_HEAD);
    response.end(add(topic, data));
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
  const id = add(topicOf(topic), data);
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
  else subscribe(request, response, topicOf(path));
}).listen({ port: Number(process.env['PORT']), host: '127.0.0.1', backlog: 4_096 });
