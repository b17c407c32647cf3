import { Buffer } from 'node:buffer';
import { encodeChunk, insideChunk, toChunk } from './chunk.js';

/** How frames go over the wire: in the chunks of HTTP/1.1, which we make ourselves, or as they are. */
export type WireFormat = 'chunked' | 'plain';

/** Bytes in both formats; they share memory. */
export interface WireBytes {
  readonly plain: Buffer;
  readonly chunked: Buffer;
  /** Bytes of the plain format, which is only made where somebody wants it. */
  readonly length: number;
}

/** Bytes that are encoded already, in both formats. */
export function inBothFormats(frame: Buffer): WireBytes {
  return new Chunk(toChunk(frame), frame.length);
}

/** Text in both formats. It is encoded into one buffer, because each short buffer costs as much as the bytes in it. */
export function textInBothFormats(text: string): WireBytes {
  const length = Buffer.byteLength(text);
  return new Chunk(encodeChunk(text, length), length);
}

/** A chunk of HTTP/1.1, and what is inside it. */
export class Chunk implements WireBytes {
  private view: Buffer | undefined;

  /** @param length bytes of what is inside. */
  constructor(
    readonly chunked: Buffer,
    readonly length: number,
  ) {}

  get plain(): Buffer {
    return (this.view ??= insideChunk(this.chunked, this.length));
  }
}
