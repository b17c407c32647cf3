import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { HttpException, Logger, type MessageEvent } from '@nestjs/common';
import { Observable, type Subscriber } from 'rxjs';
import { encodeComment, encodeRetry } from '../frames/frame.js';
import { beginWith } from './opening.js';
import { isResumable, type SourceNotice } from './resumable.js';
import { randomRetry, type OpenStream, type StreamRegistry } from '../registry/stream-registry.js';
import { markStream, type StreamRequest } from '../registry/stream-request.js';
import { STREAM_ENDS, type StreamEnd } from '../registry/stream-end.js';
import { requestNames, type StreamInfo } from '../registry/stream-info.js';

const logger = new Logger('Stream');

/** Longer ids, and ids with other characters, are not repeated to the client. */
const REPEATABLE_ID = /^[\x21-\x7e]{1,255}$/;

/**
 * `source` with what every stream has: a random `retry:` first, heartbeats as comments, an end at the maximum age and at
 * shutdown, and a log line when it opens and closes. A source that can begin after any of its events goes on after the one that
 * the client had last. An error before the stream is open is passed on, so that an exception filter
 * can still answer with a status.
 */
export function withLifetime(
  source: Observable<MessageEvent>,
  request: StreamRequest,
  registry: StreamRegistry,
): Observable<MessageEvent> {
  return new Observable((subscriber) => {
    const stream = new LiveStream(subscriber, request, registry);
    if (!registry.admits(stream.info)) {
      registry.refuse(stream, 'overloaded');
      return () => stream.release();
    }
    registry.add(stream);
    const events = isResumable(source) ? source.after(request.lastEventId, (notice) => stream.note(notice)) : source;
    const subscription = events.subscribe({
      next: (message: unknown) => stream.write(message),
      error: (error: unknown) => stream.fail(error),
      complete: () => stream.end('completed'),
    });
    // Nest sends the headers one macrotask after it has subscribed; `retry:` goes with them.
    const opening = setTimeout(() => stream.open(), 0);
    return () => {
      clearTimeout(opening);
      subscription.unsubscribe();
      stream.release();
    };
  });
}

class LiveStream implements OpenStream {
  readonly openedAt = performance.now();
  lastWriteAt = this.openedAt;
  /** Always 0: Nest writes these streams, and itself cuts those whose clients do not read (`maxPendingDataLength`). */
  readonly fullSince = 0;
  endedAt = 0;
  readonly info: StreamInfo;
  serial = 0;
  private isOpen = false;
  private isOver = false;
  /** Whether its client has been told why it will end. */
  private isTold = false;
  private events = 0;
  private reason: StreamEnd = 'disconnected';
  /** The id that the client holds: the last one sent, or the one it came with. */
  private id: string;

  constructor(
    private readonly subscriber: Subscriber<MessageEvent>,
    private readonly request: StreamRequest,
    private readonly registry: StreamRegistry,
  ) {
    const { id: requestId, traceId, address, caller } = request;
    this.info = { requestId, traceId, address, caller };
    this.id = REPEATABLE_ID.test(request.lastEventId ?? '') ? (request.lastEventId ?? '') : '';
    beginWith(request.response, encodeRetry(randomRetry()).toString());
    // Node keeps an HTTP/2 stream that its client has reset for as long as something waits to be written to it.
    request.raw.once('aborted', () => request.response.destroy());
  }

  describe(): Readonly<Record<string, unknown>> {
    return { events: this.events };
  }

  detail(): Readonly<Record<string, unknown>> {
    return {};
  }

  /** The source has had its chance to fail. Nest sends what the stream begins with. */
  open(): void {
    if (this.isOpen) return;
    this.isOpen = true;
    markStream(this.request.raw);
    logger.debug({ msg: 'stream opened', ...requestNames(this.info) });
  }

  write(message: unknown): void {
    this.open();
    const event = toMessageEvent(message);
    if (isOnly(event, 'comment')) return this.writeAside(encodeComment(event.comment ?? ''));
    if (isOnly(event, 'retry')) return this.writeAside(encodeRetry(event.retry ?? 0));
    this.events += 1;
    this.send(event);
  }

  /** Tells what the source has to say beside its events, in its place among them. */
  note({ id, ...notice }: SourceNotice): void {
    // The end of the process is told by whoever ends the stream.
    if (!this.registry.notices || notice.type === 'drain') return;
    this.open();
    this.send({ type: 'herald', data: notice, ...(id !== undefined && { id }) });
  }

  heartbeat(): void {
    this.writeAside(encodeComment(''));
  }

  tellOfEnd(reason: StreamEnd, retry = randomRetry()): void {
    if (this.isTold || this.subscriber.closed) return;
    this.isTold = true;
    this.open();
    const { notice } = STREAM_ENDS[reason];
    if (!notice) return;
    if (this.registry.notices) this.send({ type: 'herald', data: { type: notice }, retry });
    else this.writeAside(encodeRetry(retry));
  }

  end(reason: StreamEnd, retry?: number): void {
    if (this.subscriber.closed) return;
    this.open();
    this.reason = reason;
    this.tellOfEnd(reason, retry);
    this.endedAt = performance.now();
    this.subscriber.complete();
  }

  /**
   * Passes an error on while the stream is not open. After that the status has been sent, and the error becomes an
   * event.
   */
  fail(error: unknown): void {
    if (!this.isOpen) {
      this.reason = 'failed';
      this.subscriber.error(error);
      return;
    }
    const expected = error instanceof HttpException;
    if (!expected) logger.error(error);
    this.send({ type: 'error', data: expected ? error.message : 'Internal server error' });
    this.end('failed');
  }

  cut(reason: StreamEnd): void {
    this.end(reason);
    this.request.response.destroy();
    // A response that waits behind another one on its connection (pipelining) never emits `close`.
    this.forget();
  }

  /**
   * Called when Nest has unsubscribed. A stream that was told to end counts as open until its last byte is out, so that
   * it can still be cut.
   */
  release(): void {
    const { response } = this.request;
    if (this.endedAt === 0 || response.closed) this.forget();
    else response.once('close', () => this.forget());
  }

  async finished(signal?: AbortSignal): Promise<void> {
    const { response } = this.request;
    if (!response.closed) await once(response, 'close', signal && { signal });
  }

  private forget(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.registry.delete(this, this.reason);
    const age = Math.round(performance.now() - this.openedAt);
    const { reason, events } = this;
    logger.debug({ msg: 'stream closed', ...requestNames(this.info), reason, age, events });
  }

  /**
   * Writes lines that are no event past Nest, which would put a blank line after them. They are left out before the stream
   * has begun and while its client does not read.
   */
  private writeAside(lines: Buffer): void {
    const { response } = this.request;
    const { headersSent } = response as Writable & { headersSent?: boolean };
    if (!headersSent || response.writableEnded || response.writableNeedDrain) return;
    this.lastWriteAt = performance.now();
    response.write(lines);
  }

  private send(message: MessageEvent): void {
    this.lastWriteAt = performance.now();
    this.subscriber.next(this.withId(message));
  }

  /**
   * Nest numbers every event that has no id of its own, from 1 on each connection, and such a number would replace the
   * `Last-Event-ID` that the client resumes from. Repeating the id that the client has changes nothing for it.
   */
  private withId(message: MessageEvent): MessageEvent {
    this.id = message.id ?? this.id;
    return {
      id: this.id,
      ...(message.type !== undefined && { type: message.type }),
      ...(message.retry !== undefined && { retry: message.retry }),
      ...(message.comment !== undefined && { comment: message.comment }),
      ...(message.data !== undefined && { data: message.data }),
    };
  }
}

const FIELDS = ['type', 'id', 'retry', 'comment', 'data'] as const satisfies readonly (keyof MessageEvent)[];

/** Whether a message has this field and no other. They are asked for by name, because a class may have them as getters. */
function isOnly(message: MessageEvent, field: keyof MessageEvent): boolean {
  return FIELDS.every((name) => (name === field) === (message[name] !== undefined));
}

/** A handler may emit a bare value, which Nest takes for the data of an event. */
function toMessageEvent(message: unknown): MessageEvent {
  return typeof message === 'object' && message !== null ? message : { data: String(message) };
}
