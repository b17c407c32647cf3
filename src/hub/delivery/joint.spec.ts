import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toChunk } from '../../streams/frames/chunk.js';
import { inBothFormats, textInBothFormats, type WireBytes } from '../../streams/frames/wire-bytes.js';
import { join } from './joint.js';

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 300 });

/** A frame as each of the ways has it in which one comes to be joined: encoded from text or from bytes, or not yet. */
const frame = fc.tuple(text, fc.constantFrom('text', 'bytes', 'later')).map(([content, kind]) => {
  if (kind === 'later') return { content, frame: content };
  return { content, frame: kind === 'text' ? textInBothFormats(content) : inBothFormats(Buffer.from(content)) };
});

function expectToCarry(bytes: WireBytes, content: string): void {
  const plain = Buffer.from(content);
  expect(bytes.length).toBe(plain.length);
  expect(bytes.plain.equals(plain)).toBe(true);
  expect(bytes.chunked.equals(toChunk(plain))).toBe(true);
}

describe('frames that are joined', () => {
  it('are one chunk of all of them, or the same bytes without it, and know how long they are', () => {
    fc.assert(
      fc.property(fc.array(frame, { minLength: 1, maxLength: 5 }), (frames) => {
        const joined = join(frames.map((one) => one.frame));
        expectToCarry(joined, frames.map(({ content }) => content).join(''));
        for (const one of frames) if (typeof one.frame === 'object') expectToCarry(one.frame, one.content);
      }),
    );
  });
});
