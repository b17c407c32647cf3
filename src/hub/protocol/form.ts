import { isAscii, isUtf8 } from 'node:buffer';
import { HubError } from '../../access/hub.errors.js';

/** A name and its value, in the order of the input. */
export type FormPair = readonly [name: string, value: string];

export interface FormLimits {
  readonly maxPairs: number;
  /** The error code for more than `maxPairs`: 413 in a publication (R38), 400 in a subscription (R15). */
  readonly overflow: 'fields-too-many' | 'parameters-too-many';
}

/** Characters from which on V8 keeps a part of a text as a slice of it. */
const SLICED = 13;

const PLUS = 0x2b;
const PERCENT = 0x25;
const SPACE = 0x20;

const NO_BYTE = /[\u0100-\uffff]/;

/**
 * The pairs of an `application/x-www-form-urlencoded` body or query, by the URL Standard's parser (section 5.1, R11,
 * R29), which takes `;` and a stray `%` as they are. Unlike that parser, and `URLSearchParams`, it refuses names and
 * values that are not valid UTF-8, rather than putting U+FFFD into them.
 *
 * @param input the bytes of a body, or a query as it stands in a request line, without the `?`: a string in which each
 *   character is a byte, as Node gives it
 * @throws HubError `encoding-invalid`, or the limits' `overflow`
 */
export function parseForm(input: Uint8Array | string, limits: FormLimits): FormPair[] {
  const bytes = typeof input === 'string' ? bytesOf(input) : Buffer.from(input.buffer, input.byteOffset, input.length);
  // Each character is a byte. Each search in the bytes themselves would be a call that leaves JavaScript.
  const text = typeof input === 'string' ? input : bytes.toString('latin1');
  // Almost all forms are percent-encoded, and V8 decodes text several times faster than bytes are decoded here.
  const read = isAscii(bytes) ? readText : readBytes;
  const pairs: FormPair[] = [];
  let equals = -1;
  for (let start = 0; start < text.length;) {
    const end = indexOrEnd(text, '&', start);
    if (end > start) {
      if (pairs.length >= limits.maxPairs) {
        throw new HubError(limits.overflow, `There may be at most ${limits.maxPairs} parameters or form fields.`);
      }
      // Looked for anew only beyond the last one, so that no form is read more than once.
      if (equals < start) equals = indexOrEnd(text, '=', start);
      const middle = Math.min(end, equals);
      pairs.push([read(text, bytes, start, middle), read(text, bytes, Math.min(end, middle + 1), end)]);
    }
    start = end + 1;
  }
  return pairs;
}

function bytesOf(query: string): Buffer {
  // A request line has one byte a character. Any other character comes from elsewhere, and latin1 would corrupt it.
  if (NO_BYTE.test(query)) throw encodingInvalid();
  return Buffer.from(query, 'latin1');
}

function indexOrEnd(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from);
  return index === -1 ? text.length : index;
}

/** Decodes a part of a form in ASCII. What it gives is no slice of a longer text, which would stay for as long. */
function readText(form: string, bytes: Buffer, start: number, end: number): string {
  const encoded = form.slice(start, end);
  const text = encoded.includes('+') ? encoded.replaceAll('+', ' ') : encoded;
  if (!text.includes('%')) {
    return text !== encoded || text.length < SLICED ? text : bytes.toString('latin1', start, end);
  }
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray `%`, which is taken as it is, or bytes that are not UTF-8.
    return readBytes(form, bytes, start, end);
  }
}

function readBytes(_form: string, bytes: Buffer, start: number, end: number): string {
  return decode(bytes.subarray(start, end));
}

function decode(encoded: Uint8Array): string {
  const bytes = encoded.includes(PERCENT) || encoded.includes(PLUS) ? unescape(encoded) : encoded;
  if (!isUtf8(bytes)) throw encodingInvalid();
  // Unlike a TextDecoder by default, this leaves a byte-order mark where it is, as the parser must.
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

function unescape(encoded: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(encoded.length);
  let length = 0;
  for (let index = 0; index < encoded.length; index += 1) {
    const byte = encoded[index] ?? 0;
    const octet = byte === PERCENT ? hexOctet(encoded, index + 1) : -1;
    if (octet >= 0) index += 2;
    bytes[length] = octet >= 0 ? octet : byte === PLUS ? SPACE : byte;
    length += 1;
  }
  return bytes.subarray(0, length);
}

/** The value of the two hexadecimal digits at `index`, or -1 where there are none. */
function hexOctet(bytes: Uint8Array, index: number): number {
  const high = hexDigit(bytes[index]);
  const low = hexDigit(bytes[index + 1]);
  return high >= 0 && low >= 0 ? high * 16 + low : -1;
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function encodingInvalid(): HubError {
  return new HubError('encoding-invalid', 'The names and values must be percent-encoded UTF-8.');
}
