import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { insideChunk, toChunk } from './chunk.js';

describe('toChunk', () => {
  it('is the size in hexadecimal, the bytes, and both line ends', () => {
    expect(toChunk(Buffer.from('data: 0123456789\n\n')).toString()).toBe('12\r\ndata: 0123456789\n\n\r\n');
  });

  it('gives the frame back, whatever is in it, without copying', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        const chunk = toChunk(Buffer.from(bytes));
        const inside = insideChunk(chunk, bytes.length);
        expect(inside.equals(bytes)).toBe(true);
        expect(inside.buffer).toBe(chunk.buffer);
      }),
    );
  });
});
