import { connect } from 'node:net';
import { BodyDecoder } from './body-decoder.js';

const DEADLINE_MILLISECONDS = 10_000;

/**
 * Subscribes, calls `publish` once the subscription is answered, and resolves with the `id:` of the first event that has
 * one and data of its own. Rejects after ten seconds without.
 */
export async function readOneEventId(port: number, request: string, publish: () => Promise<void>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    let asked = false;
    const decoder = new BodyDecoder({
      body: (bytes, start, end) => {
        text += bytes.toString('latin1', start, end);
      },
    });
    const socket = connect({ port, host: '127.0.0.1' });
    const finish = (error: Error | undefined, id = ''): void => {
      clearTimeout(deadline);
      socket.destroy();
      if (error) reject(error);
      else resolve(id);
    };
    const deadline = setTimeout(() => finish(new Error('no event with an id came')), DEADLINE_MILLISECONDS);
    socket.on('error', (error) => finish(error));
    socket.on('close', () => finish(new Error('the connection ended before an event with an id came')));
    socket.on('data', (bytes) => {
      decoder.push(bytes, bytes.length);
      if (decoder.status !== 0 && !asked) {
        asked = true;
        publish().catch(finish);
      }
      const id = firstEventId(text);
      if (id !== undefined) finish(undefined, id);
    });
    socket.write(request, 'latin1');
  });
}

/** The id of the first complete event with a payload of the benchmark's. */
function firstEventId(text: string): string | undefined {
  for (const event of text.split(/\r?\n\r?\n/).slice(0, -1)) {
    const id = /^id: ?(.+?)\r?$/m.exec(event)?.[1];
    if (id !== undefined && /^data: ?"?\d+\./m.test(event)) return id;
  }
  return undefined;
}
