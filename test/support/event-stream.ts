import { once } from 'node:events';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { requestTo } from './request.js';

/** Milliseconds that an event may take before the test gives up on it. */
const PATIENCE = 15_000;

/** A Server-Sent Events response, read by a parser that is not ours. `await using` lets go of it. */
export class EventStream implements AsyncDisposable {
  /** Without the notices that say nothing but where the reader is: those are `cursors`. */
  readonly events: EventSourceMessage[] = [];
  readonly cursors: string[] = [];
  /** What a reader by the HTML standard comes back with. */
  lastEventId = '';
  readonly comments: string[] = [];
  readonly retries: number[] = [];
  /** The body so far, byte for byte. */
  text = '';
  private wakeUp = (): void => undefined;
  /** Resolves when the response is over: `true` for a clean end, `false` for a cut. */
  readonly ended: Promise<boolean>;

  constructor(readonly response: IncomingMessage) {
    const parser = createParser({
      onEvent: (event) => this.keep(event),
      onComment: (comment) => this.comments.push(comment),
      onRetry: (retry) => this.retries.push(retry),
    });
    response.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
      parser.feed(text);
      this.wakeUp();
    });
    response.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      response.once('close', () => {
        resolve(response.complete);
        this.wakeUp();
      });
    });
  }

  /** Resolves once `condition` holds; rejects when the stream ends before, or after a long while. */
  async until(condition: (stream: this) => boolean): Promise<this> {
    const deadline = setTimeout(() => this.response.destroy(), PATIENCE);
    try {
      while (!condition(this)) {
        if (this.response.closed) throw new Error(`the stream ended too early; it said:\n${this.text}`);
        await new Promise<void>((resolve) => (this.wakeUp = resolve));
      }
      return this;
    } finally {
      clearTimeout(deadline);
    }
  }

  private keep(event: EventSourceMessage): void {
    this.lastEventId = event.id ?? this.lastEventId;
    if (isCursor(event)) this.cursors.push(this.lastEventId);
    else this.events.push(event);
  }

  /** The first `count` events. */
  async take(count: number): Promise<EventSourceMessage[]> {
    await this.until(({ events }) => events.length >= count);
    return this.events.slice(0, count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.response.destroy();
    await this.ended;
  }
}

/** Sends a request on a connection of its own and resolves with the head of the answer. */
export async function send(
  url: string,
  options: RequestOptions = {},
  body?: string | Buffer,
): Promise<IncomingMessage> {
  const request = requestTo(url, { agent: false, ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  // What becomes of the answer is the test's business, and a cut connection is no surprise to it.
  request.on('error', () => undefined);
  return response;
}

export async function openStream(url: string, options: RequestOptions = {}): Promise<EventStream> {
  return new EventStream(await send(url, options));
}

/** The whole body of an answer, as text. */
export async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return text;
}

/** Whether a notice says nothing but where the reader is, by its id. */
export function isCursor({ event, data }: EventSourceMessage): boolean {
  return event === 'herald' && data === '{"type":"cursor"}';
}

/** What a stream of the hub begins with: the delay of a reconnection, and in the current dialect where the reader is. */
export const BEGINNING = /^retry: \d+\n(?:id: herald-cursor:[\w-]{59}\nevent: herald\ndata: \{"type":"cursor"\}\n\n)?/;

/** A name of a place in the log. */
export const CURSOR = /^herald-cursor:[\w-]{59}$/;
