import { describe, expect, it } from '@jest/globals';
import { hasOverrun } from './lmdb-room.js';

describe('hasOverrun', () => {
  it.each([
    [
      'No space left on device: Attempting to write page at position 79687680, size 8192, blocks 1, ' +
        'buffer sizes 8192 1107024352 1107023696',
      true,
    ],
    [
      'File too large: Attempting to write page at position 79687680, size 212992, blocks 3, buffer sizes 4096 204800 4096',
      false,
    ],
    ['Input/output error', false],
  ])('tells by the message "%s"', (message, expected) => {
    expect(hasOverrun(new Error(message))).toBe(expected);
  });
});
