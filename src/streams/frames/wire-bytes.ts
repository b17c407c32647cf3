import { encodeChunk, insideChunk, toChunk } from './chunk.js';

/** How frames go over the wire: in the chunks of HTTP/1.1, which we make ourselves, or as they are. */
export type WireFormat = 'chunked' | 'plain';

/** Bytes in both formats; they share memory. */
export interface WireBytes {
  readonly plain: Buffer;
  readonly chunked: Buffer;
}

/** Bytes that are encoded already, in both formats. */
export function inBothFormats(frame: Buffer): WireBytes {
  return new Chunk(toChunk(frame));
}

/** Text in both formats. It is encoded into one buffer, because each short buffer costs as much as the bytes in it. */
export function textInBothFormats(text: string): WireBytes {
  return new Chunk(encodeChunk(text));
}

class Chunk implements WireBytes {
  private view: Buffer | undefined;

  constructor(readonly chunked: Buffer) {}

  get plain(): Buffer {
    return (this.view ??= insideChunk(this.chunked));
  }
}
