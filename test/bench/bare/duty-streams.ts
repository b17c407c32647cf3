import { createCipheriv, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Update } from './duty-log.js';
import { STREAM_HEAD } from './topics.js';

const STREAMS = 20_000;
const MATCHERS = 100;
const SECRET = randomBytes(32);

interface Stream {
  readonly response: ServerResponse;
  readonly topics: readonly string[];
  readonly address: string;
  readonly openedAt: number;
}

/** Streams that are bounded in all and counted by address, and found by topic. */
export class DutyStreams {
  private readonly open = new Set<Stream>();
  private readonly byTopic = new Map<string, Set<Stream>>();
  private readonly byAddress = new Map<string, number>();

  begin(request: IncomingMessage, response: ServerResponse, position: number): void {
    const { url = '', headers, socket } = request;
    const topics = new URLSearchParams(url.slice(url.indexOf('?') + 1)).getAll('match');
    const isWrong = topics.length === 0 || topics.length > MATCHERS || headers.accept !== 'text/event-stream';
    if (isWrong || this.open.size >= STREAMS) {
      response.writeHead(400).end();
      return;
    }
    const stream = { response, topics, address: socket.remoteAddress ?? '', openedAt: performance.now() };
    this.add(stream);
    response.on('close', () => this.delete(stream));
    response.writeHead(200, { ...STREAM_HEAD, 'x-request-id': randomBytes(9).toString('base64url') });
    response.write(
      `retry: ${Math.round(1_000 + Math.random() * 3_000)}\nid: ${cursorAt(position)}\nevent: herald\ndata: {"type":"cursor"}\n\n`,
    );
  }

  send({ id, data }: Update, topic: string): void {
    const readers = this.byTopic.get(topic);
    if (!readers) return;
    const frame = Buffer.from(`id: ${id}\n${data.replaceAll(/^/gm, 'data: ')}\n\n`);
    for (const { response } of readers) response.write(frame);
  }

  private add(stream: Stream): void {
    this.open.add(stream);
    this.byAddress.set(stream.address, (this.byAddress.get(stream.address) ?? 0) + 1);
    for (const topic of stream.topics) {
      const readers = this.byTopic.get(topic);
      if (readers) readers.add(stream);
      else this.byTopic.set(topic, new Set([stream]));
    }
  }

  private delete(stream: Stream): void {
    this.open.delete(stream);
    const others = (this.byAddress.get(stream.address) ?? 0) - 1;
    if (others > 0) this.byAddress.set(stream.address, others);
    else this.byAddress.delete(stream.address);
    for (const topic of stream.topics) {
      const readers = this.byTopic.get(topic);
      readers?.delete(stream);
      if (readers?.size === 0) this.byTopic.delete(topic);
    }
  }
}

/** A place in the log, sealed so that it says nothing of topics that its reader may not see. */
function cursorAt(position: number): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', SECRET, nonce);
  const place = Buffer.alloc(8);
  place.writeDoubleBE(position);
  const sealed = Buffer.concat([nonce, cipher.update(place), cipher.final(), cipher.getAuthTag()]);
  return `herald-cursor:${sealed.toString('base64url')}`;
}
