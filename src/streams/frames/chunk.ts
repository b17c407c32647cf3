const LINE_END = Buffer.from('\r\n');

/** `bytes` as one chunk of HTTP/1.1 (RFC 9112, 7.1). */
export function toChunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, LINE_END]);
}

/**
 * Text as one chunk, in UTF-8.
 * @param length its bytes.
 */
export function encodeChunk(text: string, length: number): Buffer {
  const chunk = chunkOf(length, text);
  // Everything but the text itself is ASCII.
  const bytes = Buffer.allocUnsafe(chunk.length - text.length + length);
  bytes.write(chunk, length === text.length ? 'latin1' : 'utf8');
  return bytes;
}

/** ASCII text as one chunk. */
export function chunkText(text: string): string {
  return chunkOf(text.length, text);
}

function chunkOf(length: number, text: string): string {
  return `${length.toString(16)}\r\n${text}\r\n`;
}

/** The bytes inside a chunk, which are so many: a view, not a copy. */
export function insideChunk(chunk: Buffer, length: number): Buffer {
  const end = chunk.length - LINE_END.length;
  return chunk.subarray(end - length, end);
}
