const LINE_END = Buffer.from('\r\n');

/** `bytes` as one chunk of HTTP/1.1 (RFC 9112, 7.1). */
export function toChunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, LINE_END]);
}

/** Text as one chunk, in UTF-8. */
export function encodeChunk(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const chunk = chunkOf(length, text);
  // Everything but the text itself is ASCII.
  const bytes = Buffer.allocUnsafe(chunk.length - text.length + length);
  bytes.write(chunk);
  return bytes;
}

/** ASCII text as one chunk. */
export function chunkText(text: string): string {
  return chunkOf(text.length, text);
}

function chunkOf(length: number, text: string): string {
  return `${length.toString(16)}\r\n${text}\r\n`;
}

/** The frame inside a chunk that {@link toChunk} made of it: a view, not a copy. */
export function insideChunk(chunk: Buffer): Buffer {
  return chunk.subarray(chunk.indexOf(10) + 1, -LINE_END.length);
}
