import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isCleanText, isWellFormed } from './text-rules.js';

const FORBIDDEN = /^[\p{Cc}\p{Cf}\p{Cs}]$/u;

describe('isCleanText', () => {
  it.each(['', 'plain ASCII ~', 'https://example.com/é', '日本語', '👩🏽', 'a\u00a0b', 'e\u0301'])(
    'R1: allows "%s"',
    (text) => {
      expect(isCleanText(text)).toBe(true);
    },
  );

  it.each([
    ['C0', '\0'],
    ['a tab', '\t'],
    ['a line end', '\n'],
    ['DEL', '\x7f'],
    ['C1', '\x85'],
    ['a bidirectional override', '\u202e'],
    ['a zero-width joiner', '\u200d'],
    ['a soft hyphen', '\u00ad'],
    ['a byte-order mark', '\ufeff'],
    ['a language tag', '\u{e0001}'],
    ['a lone surrogate', '\ud800'],
    ['surrogates in the wrong order', '\udc00\ud800'],
  ])('R1: forbids %s', (_, character) => {
    expect(isCleanText(character)).toBe(false);
    expect(isCleanText(`before${character}after`)).toBe(false);
  });

  it('R1: is decided by the category of each character alone', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code))), (text) => {
        // Two surrogates that happen to stand side by side are one character.
        const characters = Array.from(text.join(''));
        expect(isCleanText(text.join(''))).toBe(!characters.some((character) => FORBIDDEN.test(character)));
      }),
    );
  });
});

describe('isWellFormed', () => {
  it('refuses lone surrogates only', () => {
    expect(isWellFormed('a\0b\n👩🏽\ufeff\u2028')).toBe(true);
    expect(isWellFormed('a\ud83db')).toBe(false);
    expect(isWellFormed('\udc69')).toBe(false);
  });
});
