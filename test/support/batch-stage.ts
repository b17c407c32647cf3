import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { StreamInfo } from '../../src/streams/registry/stream-info.js';
import { Batch, type BatchContext, type BatchExchange } from '../../src/hub/http/publish/batch/batch.js';

/** Bytes that a response takes before it says that it is full, as Node's does. */
const HIGH_WATER_MARK = 16 * 1024;

export const LINE_LIMIT = 512 * 1024;

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
export class Stage {
  readonly request = new FakeRequest();
  readonly response = new FakeResponse();
  readonly batch: Batch;
  /** The lines that were published. */
  readonly lines: string[] = [];
  /** Those of them that are not answered. */
  private readonly unanswered: { readonly text: string; readonly answer: (line: string) => void }[] = [];
  /** Whether lines are answered at once, as a journal in memory does. */
  answersAtOnce = false;
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
        if (this.answersAtOnce) return answerTo(text);
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
    for (const { text, answer } of this.unanswered.splice(index, 1)) answer(answerTo(text));
  }

  answerAll(): void {
    for (const { text, answer } of this.unanswered.splice(0)) answer(answerTo(text));
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

function answerTo(line: string): string {
  return `${line.slice(0, 20)}\n`;
}
