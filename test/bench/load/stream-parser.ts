import { BodyDecoder, type BodySink } from './body-decoder.js';

/** What a reader does with what it got. */
export interface EventSink {
  /** One event of the benchmark, once its blank line has come. */
  event(eventNumber: number, microseconds: number): void;
  /** An event with data that the benchmark did not publish (a server's own notice). */
  notice(): void;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
const QUOTE = 34;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const DATA_FIELD = Buffer.from('data:', 'latin1');

/** As much of a line that came in pieces as is needed to know it: the field name and the two numbers. */
const KEPT_BYTES = 64;

/**
 * Counts the events of one SSE response, whatever pieces it comes in: response head, chunked coding, lines, blank line.
 * It is the load generator's hot path, so it makes no strings and looks only at line ends and at the two numbers.
 */
export class StreamParser implements BodySink {
  private readonly decoder = new BodyDecoder(this);
  private kept: Buffer | undefined;
  private keptLength = 0;
  private eventNumber = -1;
  private microseconds = 0;
  private hasData = false;

  constructor(private readonly sink: EventSink) {}

  /** The response's status, or 0 while its head is not complete. */
  get status(): number {
    return this.decoder.status;
  }

  /** The response has ended as its framing says. */
  get ended(): boolean {
    return this.decoder.ended;
  }

  /** Takes the first `length` bytes of `bytes`; nothing of the buffer is kept. */
  push(bytes: Buffer, length: number): void {
    this.decoder.push(bytes, length);
  }

  /** A span of the decoded body. */
  body(bytes: Buffer, start: number, end: number): void {
    let from = start;
    while (from < end) {
      const lineEnd = bytes.indexOf(LINE_FEED, from);
      if (lineEnd === -1 || lineEnd >= end) {
        this.keep(bytes, from, end);
        return;
      }
      if (this.keptLength === 0) {
        this.line(bytes, from, lineEnd);
      } else {
        this.endKeptLine(bytes, from, lineEnd);
      }
      from = lineEnd + 1;
    }
  }

  private keep(bytes: Buffer, from: number, to: number): void {
    this.kept ??= Buffer.alloc(KEPT_BYTES);
    if (this.keptLength < KEPT_BYTES) {
      bytes.copy(this.kept, this.keptLength, from, to);
    }
    this.keptLength += to - from;
  }

  private endKeptLine(bytes: Buffer, from: number, lineEnd: number): void {
    this.keep(bytes, from, lineEnd);
    const length = Math.min(this.keptLength, KEPT_BYTES);
    this.keptLength = 0;
    this.line(this.kept ?? bytes, 0, length);
  }

  private line(bytes: Buffer, from: number, to: number): void {
    const length = bytes[to - 1] === CARRIAGE_RETURN ? to - from - 1 : to - from;
    if (length <= 0) {
      this.dispatch();
    } else if (isDataLine(bytes, from, to)) {
      this.hasData = true;
      this.readNumbers(bytes, from + DATA_FIELD.length, to);
    }
  }

  private readNumbers(bytes: Buffer, from: number, to: number): void {
    let at = from;
    if (bytes[at] === SPACE) at += 1;
    if (bytes[at] === QUOTE) at += 1; // a server that sends every payload as JSON
    const firstEnd = digitsEnd(bytes, at, to);
    if (firstEnd === at || bytes[firstEnd] !== DOT) return;
    this.eventNumber = decimal(bytes, at, firstEnd);
    this.microseconds = decimal(bytes, firstEnd + 1, digitsEnd(bytes, firstEnd + 1, to));
  }

  private dispatch(): void {
    if (!this.hasData) return;
    this.hasData = false;
    if (this.eventNumber === -1) {
      this.sink.notice();
      return;
    }
    const eventNumber = this.eventNumber;
    this.eventNumber = -1;
    this.sink.event(eventNumber, this.microseconds);
  }
}

function isDataLine(bytes: Buffer, from: number, to: number): boolean {
  if (to - from < DATA_FIELD.length) return false;
  for (let index = 0; index < DATA_FIELD.length; index += 1) {
    if (bytes[from + index] !== DATA_FIELD[index]) return false;
  }
  return true;
}

function digitsEnd(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && isDigit(bytes[at] ?? 0)) at += 1;
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function decimal(bytes: Buffer, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + (bytes[at] ?? ZERO) - ZERO;
  return value;
}
