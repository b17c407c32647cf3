/**
 * Text with what a terminal would obey, or not show, written out: control characters, marks that turn the direction of
 * writing, and halves of surrogate pairs. Whoever publishes must not be able to write to the terminal of whoever looks.
 */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, escaped);
}

/** A value as JSON in one line, in which the same characters are escaped too. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
    // As JSON has it: a character beyond the first 65,536 is two of these.
    [...Array(character.length).keys()].map((at) => `\\u${hexOf(character.charCodeAt(at)).padStart(4, '0')}`).join(''),
  );
}

function escaped(character: string): string {
  return `\\u{${hexOf(character.codePointAt(0) ?? 0)}}`;
}

function hexOf(code: number): string {
  return code.toString(16);
}
