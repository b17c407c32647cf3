import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import { HUB, Publisher, startHub } from '../support/hub.js';
import { connectTcp } from '../support/sockets.js';

const READERS = 10_000;

/** How many connect at a time. */
const AT_ONCE = 200;

/** Updates that are kept, so that a reader that hears nothing is told where it is every quarter of this many. */
const KEPT = 400;
const OTHERS = 1_000;

const LAST = 'the last one';

/** Many readers of one topic that keep what they get, and no more than that. `await using` ends them. */
class Listeners implements AsyncDisposable {
  readonly texts: string[] = [];
  private readonly sockets: Socket[] = [];
  private readonly waiting = new Map<string, { missing: Set<number>; resolve: () => void }>();

  constructor(private readonly herald: Herald) {}

  async join(path: string): Promise<void> {
    const index = this.texts.push('') - 1;
    const socket = await connectTcp(this.herald.url);
    this.sockets.push(socket);
    socket.setEncoding('latin1').on('data', (text) => this.take(index, String(text)));
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  }

  /** Resolves once everybody has got this text. */
  all(text: string): Promise<void> {
    const missing = new Set(this.texts.flatMap((has, index) => (has.includes(text) ? [] : [index])));
    if (missing.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiting.set(text, { missing, resolve }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return Promise.resolve();
  }

  private take(index: number, piece: string): void {
    const text = `${this.texts[index]}${piece}`;
    this.texts[index] = text;
    for (const [wanted, { missing, resolve }] of this.waiting) {
      if (text.includes(wanted) && missing.delete(index) && missing.size === 0) resolve();
    }
  }
}

function cursorsIn(text: string): string[] {
  return [...text.matchAll(/^id: (herald-cursor:.+)\nevent: herald\ndata: \{"type":"cursor"\}\n$/gm)].map(
    ([, id]) => id ?? '',
  );
}

describe('10,000 quiet readers of one topic', () => {
  it('cost one frame for each time that they are told where they are, and none for each heartbeat', async () => {
    await using herald = await startHub({ HERALD_RETAIN_EVENTS: String(KEPT), HERALD_HEARTBEAT: '500ms' });
    await using readers = new Listeners(herald);
    for (let count = 0; count < READERS; count += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => readers.join(`${HUB}?match=urn:quiet`)));
    }
    await readers.all('herald-cursor:');
    using publisher = await Publisher.of(herald);
    for (let count = 0; count < OTHERS; count += 1) await publisher.publishInTime({ topic: 'urn:busy', data: 'x' });
    // Nobody is written to more often than that, and everybody for the last time.
    await readers.all(':\n');
    await publisher.publishInTime({ topic: 'urn:quiet', data: LAST });
    await readers.all(LAST);

    const greetings = new Set<string>();
    const refreshes = new Map<string, number>();
    for (const text of readers.texts) {
      const [greeting = '', ...others] = cursorsIn(text);
      greetings.add(greeting);
      for (const cursor of others) refreshes.set(cursor, (refreshes.get(cursor) ?? 0) + 1);
    }
    expect(greetings.size).toBe(READERS);
    // Each is one frame, which has gone to all of them.
    expect(new Set(refreshes.values())).toEqual(new Set([READERS]));
    expect(refreshes.size).toBe(OTHERS / (KEPT / 4));
  }, 120_000);
});
