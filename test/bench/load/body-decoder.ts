/** Takes the decoded body of a response, span by span. */
export interface BodySink {
  body(bytes: Buffer, start: number, end: number): void;
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const HEAD_END = '\r\n\r\n';
/** No server of the benchmark answers with a longer head. */
const MAX_HEAD_CHARACTERS = 16 * 1024;

type Place = 'head' | 'chunk-size' | 'chunk' | 'chunk-end' | 'last-line' | 'length' | 'until-close' | 'ended';

/**
 * Reads one HTTP/1.1 response from pieces of any size (RFC 9112): its status, then its body out of the chunked coding, by
 * `Content-Length`, or until the connection closes. After `restart()` it reads the next response of a kept connection.
 */
export class BodyDecoder {
  /** The response's status, or 0 while its head is not complete. */
  status = 0;
  private place: Place = 'head';
  private head = '';
  private remaining = 0;

  constructor(private readonly sink: BodySink) {}

  /** The response is complete. */
  get ended(): boolean {
    return this.place === 'ended';
  }

  /** Makes ready for the next response on the same connection. */
  restart(): void {
    this.status = 0;
    this.place = 'head';
    this.head = '';
    this.remaining = 0;
  }

  /** Takes the first `length` bytes of `bytes`. Throws an `Error` on a response that is not HTTP/1.1. */
  push(bytes: Buffer, length: number): void {
    let at = 0;
    while (at < length && this.place !== 'ended') at = this.step(bytes, at, length);
  }

  private step(bytes: Buffer, at: number, end: number): number {
    switch (this.place) {
      case 'head':
        return this.readHead(bytes, at, end);
      case 'chunk-size':
        return this.readChunkSize(bytes, at, end);
      case 'chunk':
        return this.readSpan(bytes, at, end, 'chunk-end');
      case 'chunk-end':
        return this.skipLine(bytes, at, end, 'chunk-size');
      case 'last-line':
        return this.skipLine(bytes, at, end, 'ended');
      case 'length':
        return this.readSpan(bytes, at, end, 'ended');
      case 'until-close':
        this.sink.body(bytes, at, end);
        return end;
      case 'ended':
        return end;
    }
  }

  private readHead(bytes: Buffer, at: number, end: number): number {
    const seen = this.head.length;
    this.head += bytes.toString('latin1', at, end);
    const headEnd = this.head.indexOf(HEAD_END, Math.max(0, seen - HEAD_END.length));
    if (headEnd === -1) {
      if (this.head.length > MAX_HEAD_CHARACTERS) throw new Error('the response head has no end');
      return end;
    }
    const head = this.head.slice(0, headEnd);
    this.head = '';
    this.beginBody(head);
    return at + headEnd + HEAD_END.length - seen;
  }

  private beginBody(head: string): void {
    const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1];
    if (status === undefined) throw new Error('the response is not HTTP/1.1');
    this.status = Number(status);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      this.place = 'chunk-size';
    } else if (length === undefined && status !== '204') {
      this.place = 'until-close';
    } else {
      this.remaining = Number(length ?? 0);
      this.place = this.remaining === 0 ? 'ended' : 'length';
    }
  }

  private readChunkSize(bytes: Buffer, start: number, end: number): number {
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === LINE_FEED) {
        // None of the servers sends trailer fields: after the last chunk there is only the blank line.
        this.place = this.remaining === 0 ? 'last-line' : 'chunk';
        return at + 1;
      }
      if (byte !== CARRIAGE_RETURN) this.remaining = this.remaining * 16 + hexadecimalValue(byte);
    }
    return end;
  }

  private readSpan(bytes: Buffer, at: number, end: number, next: Place): number {
    const spanEnd = Math.min(end, at + this.remaining);
    this.remaining -= spanEnd - at;
    this.sink.body(bytes, at, spanEnd);
    if (this.remaining === 0) this.place = next;
    return spanEnd;
  }

  private skipLine(bytes: Buffer, start: number, end: number, next: Place): number {
    for (let at = start; at < end; at += 1) {
      if (bytes[at] === LINE_FEED) {
        this.place = next;
        return at + 1;
      }
    }
    return end;
  }
}

function hexadecimalValue(byte: number): number {
  const value = byte <= 57 ? byte - 48 : (byte | 32) - 87;
  if (value < 0 || value > 15) throw new Error('the response has a malformed chunk size');
  return value;
}
