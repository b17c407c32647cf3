import { describe, expect, it } from '@jest/globals';
import { visible, visibleJson } from './visible.js';

const ESCAPES = '\u001b[2J\u009b31m\r\b\u0000\u007f';

describe('visible', () => {
  it('writes out what a terminal would obey, and lets all else be', () => {
    expect(visible(`a${ESCAPES}b`)).toBe(String.raw`a\u{1b}[2J\u{9b}31m\u{d}\u{8}\u{0}\u{7f}b`);
    expect(visible('Grüße, 世界 🎉')).toBe('Grüße, 世界 🎉');
  });

  it('writes out what hides or turns text', () => {
    expect(visible('a\u202Eb\u2066c\u2028d\uD800e\u{E0041}')).toBe(
      String.raw`a\u{202e}b\u{2066}c\u{2028}d\u{d800}e\u{e0041}`,
    );
  });

  it('is JSON still, which says the same', () => {
    const value = { data: `${ESCAPES}\u202E\u{E0041}\n"ü"` };
    const text = visibleJson(value);
    expect(JSON.parse(text)).toEqual(value);
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('ü');
  });
});
