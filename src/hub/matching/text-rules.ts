import { toUSVString } from 'node:util';

/** Nearly every topic, type and pattern is plain ASCII, which needs no look-up of Unicode properties. */
const PLAIN = /^[\x20-\x7e]*$/;

/** C0, DEL and C1 (`Cc`), invisible formatting such as bidirectional overrides (`Cf`), and lone surrogates (`Cs`). */
const UNCLEAN = /[\p{Cc}\p{Cf}\p{Cs}]/u;

/** Whether `text` keeps the character rules for topics, matchers and event types (R1). */
export function isCleanText(text: string): boolean {
  return PLAIN.test(text) || !UNCLEAN.test(text);
}

/** Whether `text` has no lone surrogate, which UTF-8 can't carry. Everything else is allowed, U+0000 too. */
export function isWellFormed(text: string): boolean {
  return toUSVString(text) === text;
}
