import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { isCursor } from './event-stream.js';

/** Where a client connects to: a process, or whatever stands before it. */
export interface Target {
  readonly url: string;
}

export type HeaderFields = Readonly<Record<string, string>>;

/** Milliseconds that something may take before the test gives up on it. */
export const PATIENCE = 20_000;

/** Characters of the answer that are kept as they came. */
const KEPT = 64 * 1024;

/** A subscriber that can stop reading, and leave in every way. Each kind of connection has a class of its own. */
export abstract class StreamClient implements AsyncDisposable {
  /** Without the notices that say nothing but where the reader is: those are `cursors`. */
  readonly events: EventSourceMessage[] = [];
  readonly cursors: string[] = [];
  /** What a reader by the HTML standard comes back with. */
  lastEventId = '';
  /** The status of the answer; 0 before it has come. */
  status = 0;
  /** What came first. */
  text = '';
  /** Whether the stream has begun: its first frame has come. */
  hasBegun = false;
  /** Whether the answer came to its proper end. */
  isComplete = false;
  ended = false;
  /** What can't be read as an answer, if something can't. */
  malformed: string | undefined;
  private wakeUp = (): void => undefined;
  private listener = (event: EventSourceMessage): void => void this.events.push(event);
  private readonly decoder = new TextDecoder();
  private readonly parser = createParser({
    onEvent: (event) => this.heed(event),
    onRetry: () => (this.hasBegun = true),
  });

  /** Stops reading, so that whatever lies between the hub and this client becomes full. */
  abstract stall(): void;

  /** Reads on. */
  abstract read(): void;

  /** Leaves as browsers do. */
  abstract leave(): void;

  /** Breaks the connection, without any goodbye. */
  abstract reset(): void;

  /** Lets go of everything that this client holds, and resolves once that is done. */
  abstract [Symbol.asyncDispose](): Promise<void>;

  private heed(event: EventSourceMessage): void {
    this.lastEventId = event.id ?? this.lastEventId;
    if (isCursor(event)) this.cursors.push(this.lastEventId);
    else this.listener(event);
  }

  /** Resolves once nothing more comes, however it ended. */
  async over(): Promise<void> {
    await this.until(({ ended }) => ended);
  }

  /** Gives what has come, and from now on whatever comes, to `listener` instead of keeping it. */
  consume(listener: (event: EventSourceMessage) => void): void {
    for (const event of this.events.splice(0)) listener(event);
    this.listener = listener;
  }

  /** Resolves once `condition` holds; rejects when the stream ends before, or after so many milliseconds. */
  async until(condition: (client: this) => boolean, patience = PATIENCE): Promise<this> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.wakeUp();
    }, patience);
    try {
      while (!condition(this)) {
        if (this.ended || isLate)
          throw new Error(this.explain(isLate ? 'waited in vain' : 'the stream ended too early'));
        await new Promise<void>((resolve) => (this.wakeUp = resolve));
      }
      return this;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Keeps the beginning of what came. */
  protected keep(text: string): void {
    if (this.text.length < KEPT) this.text += text;
  }

  /** Takes a piece of the stream itself, which may end in the midst of a character. */
  protected feed(bytes: Uint8Array): void {
    this.parser.feed(this.decoder.decode(bytes, { stream: true }));
  }

  /** Something has happened: whoever waits looks again. */
  protected changed(): void {
    this.wakeUp();
  }

  protected end(): void {
    this.ended = true;
    this.wakeUp();
  }

  private explain(what: string): string {
    return `${what}, after ${this.events.length} events; it began with:\n${this.text.slice(0, 2_000)}`;
  }
}
