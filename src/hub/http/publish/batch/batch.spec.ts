import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { StreamInfo } from '../../../../streams/registry/stream-info.js';
import { HUB_LIMITS } from '../../../limits/hub.limits.js';
import { Batch, type BatchContext, type BatchEnd, type BatchExchange } from './batch.js';

/** Bytes that a response takes before it says that it is full, as Node's does. */
const HIGH_WATER_MARK = 16 * 1024;

const LINE_LIMIT = 512 * 1024;

class FakeRequest extends Readable {
  complete = false;
  headers: Record<string, string> = {};
  readonly socket = { destroy: (): void => undefined };

  override _read(): void {
    // It is pushed to.
  }
}

/** A response whose client takes what was written when the test says so. */
class FakeResponse extends EventEmitter {
  readonly heads: Record<string, unknown>[] = [];
  text = '';
  writableLength = 0;
  isEnded = false;
  isDestroyed = false;

  writeHead(_status: number, headers: Record<string, unknown>): void {
    this.heads.push(headers);
  }

  write(text: string): boolean {
    if (this.isEnded || this.isDestroyed) throw new Error('a response was written to after its end');
    this.text += text;
    this.writableLength += text.length;
    return this.writableLength < HIGH_WATER_MARK;
  }

  end(text: string): void {
    this.write(text);
    this.isEnded = true;
  }

  destroy(): void {
    this.isDestroyed = true;
    this.emit('close');
  }

  take(): void {
    const wasFull = this.writableLength >= HIGH_WATER_MARK;
    this.writableLength = 0;
    if (this.isEnded && !this.isDestroyed) this.destroy();
    else if (wasFull) this.emit('drain');
  }
}

/** A batch with everything around it. */
class Stage {
  readonly request = new FakeRequest();
  readonly response = new FakeResponse();
  readonly batch: Batch;
  /** The lines that were published. */
  readonly lines: string[] = [];
  /** Those of them that are not answered. */
  private readonly unanswered: { readonly text: string; readonly answer: (line: string) => void }[] = [];
  held = 0;
  ends = 0;
  isPressed = false;

  constructor(
    private readonly room = Infinity,
    headers: Record<string, string> = {},
  ) {
    this.request.headers = headers;
    const context: BatchContext = {
      lineLimit: LINE_LIMIT,
      publish: (line) => {
        const text = typeof line === 'symbol' ? 'too long' : line.toString();
        this.lines.push(text);
        return new Promise((answer) => void this.unanswered.push({ text, answer }));
      },
      inTurns: async (steps, isOver) => {
        // Others may have their turn between any two lines.
        for (let number = 0; !isOver() && steps.next().done !== true; number += 1) {
          // oxlint-disable-next-line no-await-in-loop -- as the real one does
          if (number % 50 === 49) await setImmediate();
        }
      },
      isPressed: () => this.isPressed,
      hold: (bytes) => {
        if (bytes > 0 && this.held + bytes > this.room) return false;
        this.held += bytes;
        return true;
      },
      release: (bytes) => void (this.held -= bytes),
      onOver: () => void (this.ends += 1),
    };
    const exchange = { request: this.request, response: this.response, headers: {} } as unknown as BatchExchange;
    this.batch = new Batch(exchange, {} as StreamInfo, context);
    this.batch.begin();
  }

  /** How many lines are under way. */
  get underWay(): number {
    return this.unanswered.length;
  }

  /** The lines of the answer. */
  get answers(): string[] {
    return this.response.text.split('\n').slice(0, -1);
  }

  send(text: string): void {
    if (!this.request.readableEnded && !this.request.complete) this.request.push(text);
  }

  finish(): void {
    if (this.request.complete) return;
    this.request.complete = true;
    this.request.push(null);
  }

  /** Answers the line at `index` of those that are not answered. */
  answer(index: number): void {
    for (const { text, answer } of this.unanswered.splice(index, 1)) answer(`${text.slice(0, 20)}\n`);
  }

  answerAll(): void {
    for (const { text, answer } of this.unanswered.splice(0)) answer(`${text.slice(0, 20)}\n`);
  }

  /** Resolves once nothing more happens by itself. */
  async settle(): Promise<this> {
    for (let turns = 0; turns < 40; turns += 1) {
      // oxlint-disable-next-line no-await-in-loop -- turn by turn
      await setImmediate();
    }
    return this;
  }
}

describe('Batch', () => {
  it('answers a short batch in one write, whose length is announced', async () => {
    const stage = new Stage(Infinity, { 'content-length': '4' });
    stage.send('a\nb\n');
    stage.finish();
    await stage.settle();
    stage.answerAll();
    await stage.settle();
    expect(stage.response).toMatchObject({ text: 'a\nb\n', isEnded: true, heads: [{ 'content-length': 4 }] });
  });

  it('sends no status before all is stored where the length of the body was announced', async () => {
    const stage = new Stage(Infinity, { 'content-length': '6' });
    stage.send('a\nb\n');
    await stage.settle();
    stage.answerAll();
    // One that has begun later, and sends its head alone.
    const other = new Stage();
    while (other.response.heads.length === 0) await setImmediate();
    expect(stage.response.heads).toEqual([]);
    stage.send('c\n');
    stage.finish();
    await stage.settle();
    expect(stage.response.heads).toEqual([]);
    stage.answerAll();
    await stage.settle();
    expect(stage.response).toMatchObject({ text: 'a\nb\nc\n', isEnded: true, heads: [{ 'content-length': 6 }] });
  });

  it('begins to answer also such a batch where the answers are many', async () => {
    const stage = new Stage(Infinity, { 'content-length': '1000000' });
    const line = `${'x'.repeat(19)}\n`;
    for (let sent = 0; sent < HUB_LIMITS.batch.answers; sent += 500 * line.length) {
      stage.send(line.repeat(500));
      // oxlint-disable-next-line no-await-in-loop -- chunk by chunk
      await stage.settle();
      stage.answerAll();
      // oxlint-disable-next-line no-await-in-loop -- chunk by chunk
      await stage.settle();
      stage.response.take();
    }
    expect(stage.response.heads).toHaveLength(1);
    expect(stage.response.isEnded).toBe(false);
  });

  it('sends the head alone after a moment, for clients that wait for it', async () => {
    const stage = new Stage();
    while (stage.response.heads.length === 0) await setImmediate();
    expect([stage.response.heads, stage.response.text]).toEqual([[{}], '']);
  });

  it('answers in the order of the lines, whatever is stored first', async () => {
    const stage = new Stage();
    stage.send('a\nb\nc\n');
    await stage.settle();
    stage.answer(2);
    stage.answer(1);
    await stage.settle();
    expect(stage.answers).toEqual([]);
    stage.answer(0);
    await stage.settle();
    expect(stage.answers).toEqual(['a', 'b', 'c']);
    expect(stage.response.isEnded).toBe(false);
  });

  it('reads no further while too many lines are under way, and on once some are answered', async () => {
    const stage = new Stage();
    stage.send(`${'x\n'.repeat(HUB_LIMITS.batch.lines)}more\n`);
    await stage.settle();
    expect([stage.lines.length, stage.request.isPaused()]).toEqual([HUB_LIMITS.batch.lines, true]);
    stage.answer(0);
    await stage.settle();
    expect(stage.lines.at(-1)).toBe('more');
  });

  it('reads no further while lines under way have too many bytes', async () => {
    const stage = new Stage();
    const long = 'x'.repeat(LINE_LIMIT);
    stage.send(`${long}\n${long}\n`);
    stage.send('more\n');
    await stage.settle();
    expect(stage.lines).toHaveLength(2);
    stage.answer(0);
    await stage.settle();
    expect(stage.lines.at(-1)).toBe('more');
  });

  it('reads no further while its client does not take its answers', async () => {
    const stage = new Stage();
    const line = 'twenty characters___\n';
    for (let sent = 0; sent <= HUB_LIMITS.batch.answers; sent += 500 * line.length) {
      stage.send(line.repeat(500));
      await stage.settle();
      stage.answerAll();
      await stage.settle();
    }
    const { length } = stage.lines;
    expect(stage.batch.fullSince).toBeGreaterThan(0);
    stage.send('more\n');
    await stage.settle();
    expect([stage.lines.length, stage.request.isPaused()]).toEqual([length, true]);
    stage.response.take();
    await stage.settle();
    expect([stage.lines.at(-1), stage.batch.fullSince]).toEqual(['more', 0]);
  });

  it('reads no further while the process has too much to do', async () => {
    const stage = new Stage();
    stage.isPressed = true;
    stage.send('a\n');
    await stage.settle();
    stage.send('b\n');
    await stage.settle();
    expect([stage.lines.length, stage.request.isPaused()]).toEqual([1, true]);
    stage.isPressed = false;
    while (stage.lines.length < 2) await setImmediate();
  });

  it.each<BatchEnd>(['drain', 'expired', 'revoked', 'idle', 'overloaded'])(
    'answers all that it has read before it says `%s`, and throws away what still comes',
    async (reason) => {
      const stage = new Stage();
      stage.send('a\nhalf');
      await stage.settle();
      stage.batch.end(reason);
      stage.batch.end('drain');
      stage.send(' of it\nb\n');
      await stage.settle();
      expect(stage.response.isEnded).toBe(false);
      stage.answerAll();
      await stage.settle();
      expect(stage.answers).toEqual(['a', JSON.stringify({ end: reason })]);
      expect([stage.response.isEnded, stage.lines.length]).toEqual([true, 1]);
      // A client that sends everything before it reads gets to its end.
      stage.finish();
      await stage.settle();
      expect(stage.request.readableEnded).toBe(true);
    },
  );

  it('ends with `overloaded` where there is no room, and gives back at once what it had', async () => {
    const stage = new Stage(10_000);
    stage.send('x'.repeat(9_000));
    await stage.settle();
    expect(stage.held).toBe(9_000);
    stage.send('x'.repeat(2_000));
    await stage.settle();
    expect(stage.answers).toEqual(['{"end":"overloaded"}']);
    expect(stage.held).toBeLessThan(100);
  });

  it('is over at once where it is cut', async () => {
    const stage = new Stage();
    stage.send('a\n');
    await stage.settle();
    stage.batch.cut();
    stage.answerAll();
    await stage.settle();
    expect([stage.response.isDestroyed, stage.response.text, stage.held, stage.ends]).toEqual([true, '', 0, 1]);
  });

  it('holds nothing after any end, answers in order, and reads within its bounds, whatever happens when', async () => {
    type Step = (stage: Stage) => void;
    const step = fc.oneof(
      {
        arbitrary: fc.nat(600).map(
          (count): Step =>
            (stage) =>
              stage.send('line\n'.repeat(count)),
        ),
        weight: 4,
      },
      {
        arbitrary: fc.nat(300_000).map(
          (size): Step =>
            (stage) =>
              stage.send('x'.repeat(size)),
        ),
        weight: 2,
      },
      {
        arbitrary: fc.nat(10).map(
          (index): Step =>
            (stage) =>
              stage.answer(index),
        ),
        weight: 4,
      },
      { arbitrary: fc.constant<Step>((stage) => stage.answerAll()), weight: 2 },
      { arbitrary: fc.constant<Step>((stage) => stage.response.take()), weight: 2 },
      {
        arbitrary: fc.constantFrom<BatchEnd>('drain', 'idle').map(
          (reason): Step =>
            ({ batch }) =>
              batch.end(reason),
        ),
        weight: 1,
      },
      { arbitrary: fc.constant<Step>((stage) => stage.finish()), weight: 1 },
      { arbitrary: fc.constant<Step>((stage) => stage.response.destroy()), weight: 1 },
    );
    const run = fc.tuple(fc.constantFrom(Infinity, 1_000_000, 20_000), fc.array(step, { maxLength: 25 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(run, async ([room, steps, leaves]) => {
        const stage = new Stage(room);
        for (const take of steps) {
          take(stage);
          // oxlint-disable-next-line no-await-in-loop -- one after the other
          await stage.settle();
          checkWhileOpen(stage);
        }
        if (leaves) stage.response.destroy();
        stage.finish();
        for (let rounds = 0; stage.ends === 0 && rounds < 100; rounds += 1) {
          stage.answerAll();
          // oxlint-disable-next-line no-await-in-loop -- until it is over
          await stage.settle();
          stage.response.take();
        }
        expect([stage.ends, stage.held, stage.batch.isIdle || leaves || stage.response.isDestroyed]).toEqual([
          1,
          0,
          true,
        ]);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});

function checkWhileOpen({ answers, held, lines, underWay, ends }: Stage): void {
  const told = answers.filter((line) => !line.startsWith('{"end"'));
  expect(told).toEqual(lines.slice(0, told.length).map((text) => text.slice(0, 20)));
  expect(held).toBeGreaterThanOrEqual(0);
  if (ends > 0) expect(held).toBe(0);
  expect(underWay).toBeLessThanOrEqual(HUB_LIMITS.batch.lines);
}
