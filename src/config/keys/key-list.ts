import { z } from 'zod';
import { KeyError } from './keys.js';

/** The most keys that a role may have at a time: each of them is tried with a token that none has signed. */
export const MOST_KEYS = 5;

const listSchema = z.array(z.string().min(1)).min(1).max(MOST_KEYS);

/**
 * The keys that a variable holds: one as it stands, or several as a JSON array, of which the first one signs. Nothing else
 * takes them apart, because a secret may contain blanks and commas, and a PEM has several lines.
 * @throws {KeyError} for what looks like an array and is none: taken for a secret, it would refuse every token.
 */
export function keysIn(text: string): readonly string[] {
  if (!text.startsWith('[') || !text.endsWith(']')) return [text];
  const parsed = listSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new KeyError(
    `begins and ends with brackets, and so must be a JSON array of one to ${MOST_KEYS} keys, such as ["the new one", "the old one"]`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
