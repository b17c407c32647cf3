import type { IncomingMessage, ServerResponse } from 'node:http';

/** The head of a stream, as Herald sends it. */
export const STREAM_HEAD = {
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

/** A topic of the smallest hub there can be: its readers, and its newest events. */
export class Topic {
  private readonly readers = new Set<ServerResponse>();
  private readonly events: string[] = [];
  /** How many events have been forgotten. */
  private forgotten = 0;

  subscribe(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, STREAM_HEAD);
    const lastId = request.headers['last-event-id'];
    const missed = lastId === undefined ? [] : this.events.slice(Number(lastId) - this.forgotten);
    response.write(FIRST + missed.join(''));
    this.readers.add(response);
    response.on('close', () => this.readers.delete(response));
  }

  /** Remembers an event and sends it to the readers. Returns what the publisher is told. */
  add(data: string): string {
    const id = this.forgotten + this.events.length + 1;
    const event = `id: ${id}\ndata: ${data}\n\n`;
    this.events.push(event);
    if (this.events.length > REMEMBERED) this.forgotten += this.events.splice(0, 100).length;
    for (const reader of this.readers) reader.write(event);
    return `urn:uuid:123e4567-e89b-12d3-a456-${String(id).padStart(12, '0')}`;
  }
}

const topics = new Map<string, Topic>();

export function topicOf(name: string): Topic {
  const known = topics.get(name);
  if (known) return known;
  const topic = new Topic();
  topics.set(name, topic);
  return topic;
}
