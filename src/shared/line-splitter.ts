import { isAscii } from 'node:buffer';

const LF = 0x0a;
const CR = 0x0d;

/** A line that has more bytes than a line may have, and was thrown away. */
export const TOO_LONG = Symbol('a line that is too long');

/**
 * A line without its end: its bytes, which are valid until the next chunk is given, or the text of a line in ASCII, which is
 * cheaper to cut out.
 */
export type Line = Buffer | string | typeof TOO_LONG;

/** Cuts the chunks of a body into lines, which end with LF or CRLF. Empty lines don't count. */
export class LineSplitter {
  /** The beginning of a line whose end has not come yet. */
  private parts: Buffer[] = [];
  private length = 0;

  /** @param limit bytes that a line may have. What comes of a longer one is thrown away at once. */
  constructor(private readonly limit: number) {}

  /** Bytes that are held of a line whose end has not come yet. */
  get held(): number {
    return Math.min(this.length, this.limit);
  }

  /** The lines that end within this chunk. */
  split(chunk: Buffer): Generator<Line, void, undefined> {
    return isAscii(chunk) ? this.splitText(chunk) : this.splitBytes(chunk);
  }

  private *splitText(chunk: Buffer): Generator<Line, void, undefined> {
    const text = chunk.toString('latin1');
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const line = this.length === 0 ? this.lineIn(text, start, end) : this.join(chunk.subarray(start, end));
      start = end + 1;
      if (line !== undefined) yield line;
    }
    this.keep(chunk.subarray(start));
  }

  private *splitBytes(chunk: Buffer): Generator<Line, void, undefined> {
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      const line = this.join(chunk.subarray(start, end));
      start = end + 1;
      if (line !== undefined) yield line;
    }
    this.keep(chunk.subarray(start));
  }

  /** The last line, where the body has ended without the end of a line. */
  end(): Line | undefined {
    return this.join(Buffer.alloc(0));
  }

  /** Throws away what is held of a line. */
  drop(): void {
    this.parts = [];
    this.length = 0;
  }

  private join(last: Buffer): Line | undefined {
    if (this.length === 0) return this.lineOf(last);
    this.keep(last);
    const { parts, length } = this;
    this.parts = [];
    this.length = 0;
    return length > this.limit + 1 ? TOO_LONG : this.lineOf(Buffer.concat(parts));
  }

  private lineOf(bytes: Buffer): Line | undefined {
    const line = bytes[bytes.length - 1] === CR ? bytes.subarray(0, -1) : bytes;
    if (line.length > this.limit) return TOO_LONG;
    return line.length === 0 ? undefined : line;
  }

  private lineIn(text: string, start: number, end: number): Line | undefined {
    const length = end - start - (end > start && text.charCodeAt(end - 1) === CR ? 1 : 0);
    if (length > this.limit) return TOO_LONG;
    return length === 0 ? undefined : text.slice(start, start + length);
  }

  private keep(part: Buffer): void {
    this.length += part.length;
    // One byte more than the limit may be the CR of the line's end.
    if (this.length > this.limit + 1) this.parts = [];
    // A copy, because the part would keep the whole chunk in memory.
    else if (part.length > 0) this.parts.push(Buffer.from(part));
  }
}
