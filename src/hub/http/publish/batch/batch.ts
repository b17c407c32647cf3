import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { HUB_LIMITS } from '../../../limits/hub.limits.js';
import { Queue } from '../../../../shared/queue.js';
import { endUnreadBody } from '../../../../shared/http/unread-body.js';
import type { StreamInfo } from '../../../../streams/registry/stream-info.js';
import { type Line, LineSplitter } from '../../../../shared/line-splitter.js';

/** Why a batch ends before its body does, as its last line says. */
export type BatchEnd = 'drain' | 'expired' | 'revoked' | 'idle' | 'overloaded';

/** Bytes under way after which a step ends: asking for the time after each line would take as long as some lines do. */
const STEP = 4 * 1024;

/** Characters of the answer to a batch of announced length that are sent together: those to almost ten thousand lines. */
const ANSWERED_WHOLE = HUB_LIMITS.batch.answers / 2;

/** What a line that is under way takes besides its bytes. */
const OVERHEAD = 200;

/** Milliseconds after which the head of the answer goes out alone, for clients that wait for it before they send lines. */
const HEAD_DELAY = 20;

/** Milliseconds until a process that has more to do than it can is asked again. */
const PRESSED = 250;

/** The request and its response, which nobody else writes to. */
export interface BatchExchange {
  readonly request: IncomingMessage | Http2ServerRequest;
  readonly response: ServerResponse | Http2ServerResponse;
  readonly headers: OutgoingHttpHeaders;
}

export interface BatchContext {
  /** Bytes that a line may have. */
  readonly lineLimit: number;
  /** Publishes what a line says, and gives the line of the answer: at once, where it is known by then. Never throws or rejects. */
  publish(line: Line): string | Promise<string>;
  /** Does work in turns with other work. */
  inTurns(steps: Iterator<void, void>, isOver: () => boolean): Promise<unknown>;
  /** Whether this process has more to do than it can. */
  isPressed(): boolean;
  /** Counts what is held, over all batches. False where there is no room: it does not count then. */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  /** The batch is over. */
  onOver(batch: Batch): void;
}

interface Answer {
  text: string | undefined;
}

/**
 * A batch that is read, published and answered line by line while it comes.
 *
 *     reading ──body has ended, or told to end──► ending ──all lines answered──► ended ──answer taken──► over
 *
 *     any ──client has left, or cut──► over
 *
 * While it is reading it pauses whenever there is too much under way, or the client does not take its answers.
 */
export class Batch {
  /** When the last line came or was answered. Milliseconds on the monotonic clock. */
  activeAt = performance.now();
  /** Since when the client has not taken what was written to it; 0 while nothing waits. */
  fullSince = 0;
  private state: 'reading' | 'ending' | 'ended' | 'over' = 'reading';
  private reason: BatchEnd | undefined;
  private readonly lines: LineSplitter;
  /** The answers to the lines that are under way, in their order. */
  private readonly answers = new Queue<Answer>();
  private bytesUnderWay = 0;
  /** Answers that are yet to be written. */
  private ready = '';
  private isHeadSent = false;
  /** The lines of the newest chunk that are yet to be published, and the bytes that are held for them. */
  private rest: { readonly steps: Iterator<void, void>; readonly bytes: number } | undefined;
  private isTaking = false;
  /** Whether the body has come to its end. */
  private isWhole = false;
  private isScheduled = false;
  private isWaiting = false;
  private counted = 0;

  constructor(
    private readonly exchange: BatchExchange,
    readonly info: StreamInfo,
    private readonly context: BatchContext,
  ) {
    this.lines = new LineSplitter(context.lineLimit);
  }

  /** Whether no line is under way, and none waits for this process. */
  get isIdle(): boolean {
    return this.answers.length === 0 && !this.rest && !this.isWaiting;
  }

  begin(): void {
    const { request, response } = this.exchange;
    response.on('drain', () => this.drained()).on('close', () => this.close());
    request
      .on('data', (chunk: Buffer) => this.take(chunk))
      .on('end', () => {
        // It may be told while lines before it are yet to be published.
        this.isWhole = true;
        this.goOn();
      });
    // The response is closed with it.
    request.on('error', () => undefined);
    if (!this.isAnnounced) setTimeout(() => this.sendHead(), HEAD_DELAY).unref();
  }

  /** reading → ending: no further line is read, and the last line of the answer says why. */
  end(reason: BatchEnd): void {
    if (this.state !== 'reading') return;
    this.state = 'ending';
    this.reason = reason;
    this.exchange.request.pause();
    // Its room is for others, who may be about to ask for it.
    this.lines.drop();
    this.rest = undefined;
    this.account();
    this.schedule();
  }

  /** any → over: closes the connection at once, or the stream of HTTP/2. */
  cut(): void {
    this.exchange.response.destroy();
    this.close();
  }

  /** Reading goes on once all lines of the chunk have been published. */
  private take(chunk: Buffer): void {
    // What still comes after the end was told is thrown away.
    if (this.state !== 'reading') return;
    this.exchange.request.pause();
    // The chunk, and the text that its lines are cut from.
    this.rest = { steps: this.linesOf(chunk), bytes: 2 * chunk.length };
    this.goOn();
  }

  private async publishInTurns(steps: Iterator<void, void>): Promise<void> {
    this.isTaking = true;
    await this.context.inTurns(steps, () => this.state !== 'reading' || !this.hasRoom);
    this.isTaking = false;
    this.account();
    this.goOn();
  }

  private *linesOf(chunk: Buffer): Generator<void, void> {
    let bytes = 0;
    for (const line of this.lines.split(chunk)) {
      bytes += this.publish(line);
      if (bytes < STEP && this.isFree) continue;
      bytes = 0;
      this.activeAt = performance.now();
      yield;
    }
    if (bytes > 0) this.activeAt = performance.now();
    this.rest = undefined;
  }

  /** reading → ending: what is left is the last line. */
  private endOfBody(): void {
    this.state = 'ending';
    const line = this.lines.end();
    if (line !== undefined) this.publish(line);
    this.schedule();
  }

  /** Answers how many bytes are under way with the line, or were. */
  private publish(line: Line): number {
    const bytes = OVERHEAD + (typeof line === 'symbol' ? 0 : line.length);
    // The line is looked at before this returns: its bytes are those of the chunk.
    const text = this.context.publish(line);
    if (typeof text !== 'string') this.await(text, bytes);
    else if (this.answers.length > 0) this.answers.push({ text });
    else this.ready += text;
    this.schedule();
    return bytes;
  }

  private await(promised: Promise<string>, bytes: number): void {
    const answer: Answer = { text: undefined };
    this.answers.push(answer);
    this.bytesUnderWay += bytes;
    void promised.then((text) => this.answered(answer, text, bytes));
  }

  private answered(answer: Answer, text: string, bytes: number): void {
    answer.text = text;
    this.bytesUnderWay -= bytes;
    this.schedule();
  }

  /** Writes whatever is answered at the end of this turn of the event loop. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.isScheduled = false;
    if (this.state === 'over' || this.state === 'ended') return;
    this.gather();
    if (this.state === 'ending' && this.answers.length === 0) return this.finish();
    if (!this.waitsForEnd) this.write();
    this.account();
    this.goOn();
  }

  private gather(): void {
    for (let first = this.answers.at(0); first?.text !== undefined; first = this.answers.at(0)) {
      this.ready += first.text;
      this.answers.shift();
    }
  }

  private write(): void {
    if (this.ready === '') return;
    this.sendHead();
    this.activeAt = performance.now();
    const { response } = this.exchange;
    // Both kinds of response have this method, with signatures that TypeScript can't call as one.
    const hasRoom = (response as ServerResponse).write(this.ready);
    this.ready = '';
    if (!hasRoom && this.fullSince === 0) this.fullSince = this.activeAt;
  }

  /**
   * Whether the answers are kept back until all are there. A client that has announced the length of its body often looks
   * at the status alone, and takes the whole batch for stored.
   */
  private get waitsForEnd(): boolean {
    return this.isAnnounced && !this.isHeadSent && this.ready.length < ANSWERED_WHOLE;
  }

  private get isAnnounced(): boolean {
    return this.exchange.request.headers['content-length'] !== undefined;
  }

  private sendHead(): void {
    if (this.isHeadSent || this.state === 'over' || this.state === 'ended') return;
    this.isHeadSent = true;
    const { response, headers } = this.exchange;
    (response as ServerResponse).writeHead(200, headers);
    // HTTP/2 sends the head at once.
    if ('flushHeaders' in response) response.flushHeaders();
  }

  /** ending → ended: all lines are answered, and the answer ends. */
  private finish(): void {
    const { request, headers } = this.exchange;
    const response = this.exchange.response as ServerResponse;
    const last = this.reason === undefined ? '' : `${JSON.stringify({ end: this.reason })}\n`;
    const text = this.ready + last;
    this.state = 'ended';
    this.fullSince ||= performance.now();
    this.ready = '';
    // A short batch is answered in one write.
    if (!this.isHeadSent) response.writeHead(200, { ...headers, 'content-length': Buffer.byteLength(text) });
    response.end(text);
    if (this.reason !== undefined) endUnreadBody(request);
    this.account();
  }

  private drained(): void {
    if (this.state === 'ended' || this.state === 'over') return;
    this.fullSince = 0;
    this.account();
    this.goOn();
  }

  /** any → over */
  private close(): void {
    if (this.state === 'over') return;
    this.state = 'over';
    this.context.release(this.counted);
    this.counted = 0;
    this.context.onOver(this);
  }

  /** Publishes what has been read, and reads on, where there is room. */
  private goOn(): void {
    if (this.state !== 'reading' || this.isTaking || this.isWaiting || !this.hasRoom) return;
    if (this.rest) return void this.publishInTurns(this.rest.steps);
    if (this.isWhole) return this.endOfBody();
    if (!this.context.isPressed()) {
      this.exchange.request.resume();
      return;
    }
    this.isWaiting = true;
    setTimeout(() => {
      this.isWaiting = false;
      this.goOn();
    }, PRESSED).unref();
  }

  private get hasRoom(): boolean {
    return this.isFree && this.bytesOfAnswers < HUB_LIMITS.batch.answers;
  }

  /** Whether more lines may be under way. */
  private get isFree(): boolean {
    const { lines, bytes } = HUB_LIMITS.batch;
    return this.answers.length < lines && this.bytesUnderWay < bytes;
  }

  private get bytesOfAnswers(): number {
    return this.ready.length + this.exchange.response.writableLength;
  }

  /** Tells the count over all batches what has changed here. */
  private account(): void {
    if (this.state === 'over') return;
    const held = this.lines.held + (this.rest?.bytes ?? 0) + this.bytesUnderWay + this.bytesOfAnswers;
    if (this.context.hold(held - this.counted)) this.counted = held;
    else this.end('overloaded');
  }
}
