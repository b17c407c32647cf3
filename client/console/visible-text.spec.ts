import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { visible } from './visible-text.js';

describe('text of strangers', () => {
  it('has symbols in place of what is not seen', () => {
    expect(visible('a\u0000b\u001b[31mc\u007f\u0085d\u202Ee\u2066f\u200Bg')).toBe(
      'a␀b␛[31mc␡⟨U+0085⟩d⟨U+202E⟩e⟨U+2066⟩f⟨U+200B⟩g',
    );
  });

  it('is left as it is otherwise, in every script', () => {
    for (const text of ['a\tb\r\nc', 'שלום 你好 é 👩‍👩‍👧', '']) expect(visible(text)).toBe(text);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.toMatch(/(?![\t\n\r])\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u);
      }),
    );
  });
});
