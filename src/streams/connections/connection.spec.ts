import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ConnectionListener } from './connection.js';
import { OutstandingBytes } from '../registry/outstanding-bytes.js';
import { ResponseConnection } from './response-connection.js';
import { PIECE } from './write-queue.js';

/** A socket that takes a write when the test says so, and throws at a second one beside it, where `TLSWrap` aborts. */
class StrictSocket extends Writable {
  readonly pieces: Buffer[] = [];
  private taken: ((error?: Error) => void) | undefined;

  constructor() {
    // More than all tests write: `Writable` never holds anything back by itself.
    super({ highWaterMark: 2 ** 30 });
  }

  /** Whether a write is under way. */
  get isBusy(): boolean {
    return this.taken !== undefined;
  }

  override write(bytes: Buffer, ...rest: never[]): boolean {
    if (this.isBusy) throw new Error('two writes at once');
    return super.write(bytes, ...rest);
  }

  override _write(bytes: Buffer, _: BufferEncoding, done: () => void): void {
    this.pieces.push(bytes);
    this.taken = done;
  }

  async take(): Promise<void> {
    const { taken } = this;
    this.taken = undefined;
    taken?.();
    await new Promise(setImmediate);
  }

  async takeAll(): Promise<void> {
    while (this.isBusy) await this.take();
  }

  get text(): string {
    return Buffer.concat(this.pieces).toString();
  }
}

function open(): {
  socket: StrictSocket;
  outstanding: OutstandingBytes;
  connection: ResponseConnection;
  told: string[];
} {
  const socket = new StrictSocket();
  const outstanding = new OutstandingBytes();
  const connection = new ResponseConnection(socket, outstanding);
  const told: string[] = [];
  const listener: ConnectionListener = {
    drained: () => told.push('drained'),
    ended: () => told.push('ended'),
    closed: (reason) => told.push(`closed: ${reason}`),
    noticeId: () => undefined,
    describe: () => ({}),
    detail: () => ({}),
  };
  connection.listen(listener);
  return { socket, outstanding, connection, told };
}

describe('a connection', () => {
  it('has one write under way and gives the rest in order, in pieces, whatever is written when', async () => {
    const step = fc.oneof(
      fc.integer({ min: 1, max: 2_000 }),
      fc.integer({ min: PIECE - 2, max: 3 * PIECE }),
      fc.constant('take' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { socket, outstanding, connection } = open();
        let written = '';
        let large = 0;
        for (const [index, size] of steps.entries()) {
          if (size === 'take') {
            await socket.take();
            continue;
          }
          const bytes = Buffer.alloc(size, `${index};`);
          written += bytes.toString();
          connection.write(bytes);
          // A large frame counts as a whole until its last piece has gone.
          large += size > PIECE ? size : 0;
          const unsent = written.length - socket.text.length + (socket.pieces.at(-1)?.length ?? 0);
          expect(outstanding.total).toBeGreaterThanOrEqual(unsent);
          expect(outstanding.total).toBeLessThanOrEqual(unsent + large);
        }
        await socket.takeAll();
        expect(socket.text).toBe(written);
        expect(Math.max(0, ...socket.pieces.map(({ length }) => length))).toBeLessThanOrEqual(PIECE);
        expect([outstanding.total, connection.isFull]).toEqual([0, false]);
      }),
      { numRuns: 100 },
    );
  });

  it('is full when more waits than it has room for, and says once that there is room again', async () => {
    const { socket, connection, told } = open();
    expect(connection.write(Buffer.alloc(100))).toBe(true);
    expect(connection.write(Buffer.alloc(100))).toBe(true);
    expect(connection.write(Buffer.alloc(PIECE * 2))).toBe(false);
    const { fullSince } = connection;
    expect([connection.isFull, told]).toEqual([true, []]);
    await socket.take();
    expect(connection.fullSince).toBeGreaterThan(fullSince);
    await socket.takeAll();
    expect([connection.isFull, told]).toEqual([false, ['drained']]);
  });

  it('ends after what it was given and its notice, and takes nothing after that', async () => {
    const { socket, connection, told } = open();
    connection.write(Buffer.from('a'));
    connection.end('drain');
    connection.end('expired');
    expect(connection.write(Buffer.from('b'))).toBe(false);
    connection.heartbeat();
    await socket.takeAll();
    expect(socket.text).toMatch(/^aevent: herald\nretry: \d+\ndata: \{"type":"drain"\}\n\n$/);
    expect(socket.writableEnded).toBe(true);
    await new Promise(setImmediate);
    expect(told).toEqual(['ended', 'closed: drain']);
  });

  it('can be cut after it was told to end, and gives back what it held', async () => {
    const { socket, outstanding, connection, told } = open();
    connection.write(Buffer.from('a'));
    connection.end('max-age');
    expect(connection.endedAt).toBeGreaterThan(0);
    expect(outstanding.total).toBeGreaterThan(0);
    connection.cut('stalled');
    await new Promise(setImmediate);
    expect([socket.destroyed, outstanding.total]).toEqual([true, 0]);
    expect(told).toEqual(['ended', 'closed: max-age']);
  });

  it('is closed when its socket breaks', async () => {
    const { socket, outstanding, connection, told } = open();
    connection.write(Buffer.alloc(PIECE * 3));
    socket.destroy(new Error('reset by peer'));
    await new Promise(setImmediate);
    expect(told).toEqual(['closed: disconnected']);
    expect(outstanding.total).toBe(0);
  });
});

describe('outstanding bytes', () => {
  it('count a frame once that many streams have not taken', async () => {
    const outstanding = new OutstandingBytes();
    const frame = Buffer.alloc(10 * PIECE);
    const sockets = Array.from({ length: 10 }, () => new StrictSocket());
    const connections = sockets.map((socket) => new ResponseConnection(socket, outstanding));
    for (const connection of connections) connection.write(frame);
    expect(outstanding.total).toBe(frame.length + 10 * PIECE);
    await Promise.all(sockets.slice(5).map((socket) => socket.takeAll()));
    expect(outstanding.total).toBe(frame.length + 5 * PIECE);
    sockets.forEach((socket) => socket.destroy());
    await new Promise(setImmediate);
    expect(outstanding.total).toBe(0);
  });

  it('say each time that there is room again, and not otherwise', () => {
    const outstanding = new OutstandingBytes(100);
    let rooms = 0;
    outstanding.onRoom(() => (rooms += 1));
    for (const difference of [60, 60, -10, -20, 5, 5, -90]) outstanding.add(difference);
    expect([rooms, outstanding.total]).toEqual([2, 10]);
  });
});
