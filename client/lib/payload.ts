import { HeraldError } from './errors.js';

/** How data is published: as its JSON text, or as a text that is taken as it is. */
export type PayloadForm = 'json' | 'text';

/**
 * The text that is published for `data`.
 * @throws {HeraldError} `misused` for what the form can't hold.
 */
export function toPayload(data: unknown, form: PayloadForm = 'json'): string {
  if (form === 'json') return jsonOf(data);
  if (typeof data === 'string') return data;
  throw new HeraldError('misused', "With `as: 'text'` the data must be a string.");
}

function jsonOf(data: unknown): string {
  let text: unknown;
  let cause: unknown;
  try {
    text = JSON.stringify(data, (_name, value: unknown) => {
      if (typeof value !== 'function' && typeof value !== 'symbol') return value;
      throw new TypeError(`A ${typeof value} is in the data.`);
    });
  } catch (error) {
    cause = error;
  }
  if (typeof text === 'string') return text;
  const cure = "publish plain data (`null` for nothing), or a string with `as: 'text'`.";
  throw new HeraldError('misused', `JSON can not hold this data: ${cure}`, { cause });
}

/** A key under which the hub stores an update only once. `crypto.randomUUID` is missing on plain HTTP. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
