import { connect } from 'node:net';
import { BodyDecoder } from './body-decoder.js';
import { makePayload, nowMicroseconds } from './payload.js';
import type { Target } from './target.js';

/** Lines that are written at once, and lines that may wait for their answers. */
const GROUP = 500;
const WINDOW = 4_000;

const LINE_FEED = 10;

export interface StreamedUpdates {
  readonly updates: number;
  readonly topics: number;
  readonly bytes: number;
  /** What the idempotency keys begin with, which must be another text each time. */
  readonly keys: string;
}

/** Publishes updates, each with a key, as one batch that is answered while it comes. Resolves once all are answered. */
export async function streamUpdates(target: Target, { updates, topics, bytes, keys }: StreamedUpdates): Promise<void> {
  const { batch } = target;
  if (!batch) throw new Error('the server has no batches');
  const socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true });
  const headers = { Host: `127.0.0.1:${target.port}`, ...batch.headers, 'Transfer-Encoding': 'chunked' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  let sent = 0;
  let answered = 0;
  const send = (): void => {
    while (sent < updates && sent - answered < WINDOW) {
      const last = Math.min(updates, sent + GROUP);
      let text = '';
      for (; sent < last; sent += 1) {
        const data = makePayload(Math.floor(sent / topics), nowMicroseconds(), bytes);
        const line = batch.line.replace('{topic}', String(sent % topics)).replace('{data}', data);
        text += `${line.slice(0, -1)},"key":"${keys}-${sent}"}\n`;
      }
      socket.write(`${text.length.toString(16)}\r\n${text}\r\n`, 'latin1');
    }
  };
  const refused: string[] = [];
  const decoder = new BodyDecoder({
    body: (chunk, start, end) => {
      if (chunk.includes('"error"', start)) refused.push(chunk.toString('latin1', start, Math.min(end, start + 200)));
      for (let at = start; at < end; at += 1) if (chunk[at] === LINE_FEED) answered += 1;
    },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject).on('close', () => reject(new Error('the batch was closed before its end')));
      socket.on('data', (chunk) => {
        decoder.push(chunk, chunk.length);
        if (answered >= updates) resolve();
        else send();
      });
      socket.write(`POST ${batch.path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
      send();
    });
  } finally {
    socket.destroy();
  }
  if (refused.length > 0 || decoder.status !== 200) throw new Error(`lines of a batch were refused: ${refused[0]}`);
}
