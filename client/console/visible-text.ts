/**
 * Characters that are not seen, and move or hide what stands beside them: control characters, and marks and overrides of
 * the writing direction. Line breaks and tabs are left, because they are seen as what they are.
 */
const UNSEEN = /(?![\t\n\r])\p{Cc}|[\u061C\u200B\u200E\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/gu;

/** The pictures of control characters begin here. */
const PICTURES = 0x2400;
const DELETE = 0x7f;
const DELETE_PICTURE = '\u2421';

/** Shows what others have published with all that is in it: unseen characters as symbols, such as ␛ or ⟨U+202E⟩. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, symbolOf);
}

function symbolOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(PICTURES + code);
  return code === DELETE ? DELETE_PICTURE : `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}
