import fc from 'fast-check';
import type { Draft } from './requests.js';

/** Frames of HTTP/2 (RFC 9113, 6), made by hand, so that they can be what no client library would send. */

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

const DATA = 0;
const HEADERS = 1;
const PRIORITY = 2;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const CONTINUATION = 9;

const END_STREAM = 0x1;
const END_HEADERS = 0x4;
const PADDED = 0x8;

/** The largest payload that every server takes. */
const LARGEST = 16_384;

/** How many frames of a kind are sent where it is about their number. */
const MANY = 500;

const FRAME_HEAD = 9;

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Whole numbers of four bytes each. */
function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, index) => bytes.writeUInt32BE(number, 4 * index));
  return bytes;
}

function setting(name: number, value: number): Buffer {
  return frame(SETTINGS, 0, 0, Buffer.concat([Buffer.from([0, name]), words(value)]));
}

/** A string as HPACK has it (RFC 7541, 5.2), without its compression. */
function literal(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

/** A field that no table is told of. */
function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), literal(name), literal(value)]);
}

function cut(bytes: Buffer): Buffer[] {
  const count = Math.ceil(bytes.length / LARGEST);
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * LARGEST, (index + 1) * LARGEST));
}

function headers(fields: Buffer, flags: number): Buffer {
  const [first = Buffer.alloc(0), ...more] = cut(fields);
  const last = more.length;
  return Buffer.concat([
    frame(HEADERS, flags + (last === 0 ? END_HEADERS : 0), 1, first),
    ...more.map((part, index) => frame(CONTINUATION, index + 1 === last ? END_HEADERS : 0, 1, part)),
  ]);
}

/** What can come before, within or after a request, and is a request for trouble. */
export const ODD_FRAMES: fc.Arbitrary<Buffer> = fc.constantFrom(
  ...[0, 1, 0x7fffffff].flatMap((number) => [
    frame(WINDOW_UPDATE, 0, 0, words(number)),
    frame(WINDOW_UPDATE, 0, 1, words(number)),
    frame(RST_STREAM, 0, 1, words(number)),
    // The window of new streams, and the largest frame.
    setting(4, number),
    setting(5, number),
  ]),
  setting(1, 0xffffffff),
  frame(RST_STREAM, 0, 5, words(8)),
  frame(PRIORITY, 0, 1, Buffer.concat([words(1), Buffer.from([255])])),
  frame(CONTINUATION, END_HEADERS, 1, Buffer.alloc(0)),
  frame(DATA, 0, 0, Buffer.from('x')),
  frame(DATA, 0, 3, Buffer.from('x')),
  frame(DATA, PADDED, 1, Buffer.from([200, 1])),
  frame(DATA, END_STREAM, 1, Buffer.alloc(LARGEST + 1)),
  frame(HEADERS, END_HEADERS + END_STREAM, 1, field('x-trailer', 'x')),
  frame(HEADERS, END_HEADERS, 2, field(':method', 'GET')),
  // A field from far behind the end of all tables, and a table of four gigabytes.
  frame(HEADERS, END_HEADERS, 1, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f])),
  frame(HEADERS, END_HEADERS, 1, Buffer.from([0x3f, 0xe1, 0xff, 0xff, 0xff, 0x0f])),
  frame(PING, 0, 0, Buffer.alloc(7)),
  frame(GOAWAY, 0, 0, words(0, 0)),
  frame(0xfa, 0xff, 1, Buffer.from('x')),
  Buffer.concat(Array<Buffer>(MANY).fill(frame(PING, 0, 0, Buffer.alloc(8)))),
  Buffer.concat(Array<Buffer>(MANY).fill(frame(SETTINGS, 0, 0, Buffer.alloc(0)))),
  Buffer.concat(Array<Buffer>(MANY).fill(frame(CONTINUATION, 0, 1, field('x', 'x')))),
);

/** A connection that begins and asks for nothing. */
export const EMPTY_CONNECTION = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, Buffer.alloc(0))]);

/** A PING of the client's own, which answers none of the service's. */
export const SIGN_OF_LIFE = frame(PING, 0, 0, Buffer.alloc(8));

/** Connections that end in an error of the whole connection (RFC 9113, 5.4.1), while a request on it is not complete. */
export const BROKEN_CONNECTIONS: Readonly<Record<string, Buffer>> = {
  'a frame that is too large': broken(frame(DATA, 0, 1, Buffer.alloc(LARGEST + 1))),
  'a frame that is too large, after GOAWAY': broken(
    frame(GOAWAY, 0, 0, words(0, 0)),
    frame(DATA, 0, 1, Buffer.alloc(LARGEST + 1)),
  ),
  'a PING of the wrong length': broken(frame(PING, 0, 0, Buffer.alloc(7))),
  'DATA of no stream': broken(frame(DATA, 0, 0, Buffer.from('x'))),
  'a header block that cannot be read': broken(
    frame(HEADERS, END_HEADERS + END_STREAM, 3, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f])),
  ),
};

function broken(...frames: readonly Buffer[]): Buffer {
  const request = { ':method': 'POST', ':path': '/', ':scheme': 'https', ':authority': 'hub.example' };
  const fields = Object.entries(request).map(([name, value]) => field(name, value));
  return Buffer.concat([EMPTY_CONNECTION, headers(Buffer.concat(fields), 0), ...frames]);
}

/** A whole connection with this request, also where it has what HTTP/2 does not allow, and `odd` frames in it. */
export function framesOf({ method, target, headers: given, body }: Draft, odd: readonly Buffer[]): Buffer {
  const fields = [
    field(':method', method),
    field(':path', target),
    field(':scheme', 'https'),
    ...given.map(([name, value]) => field(name === 'host' ? ':authority' : name, value)),
  ];
  const [before = Buffer.alloc(0), between = Buffer.alloc(0), ...after] = odd;
  const parts = cut(body);
  return Buffer.concat([
    EMPTY_CONNECTION,
    before,
    headers(Buffer.concat(fields), parts.length === 0 ? END_STREAM : 0),
    between,
    ...parts.map((part, index) => frame(DATA, index + 1 === parts.length ? END_STREAM : 0, 1, part)),
    ...after,
  ]);
}

/** Whether what the service has sent says that nothing more comes of the request. */
export function isAnswered(bytes: Buffer): boolean {
  return typesOf(bytes).some(
    ({ type, isLast }) => type === RST_STREAM || type === GOAWAY || ((type === DATA || type === HEADERS) && isLast),
  );
}

/** Whether what the service has sent is a whole answer: its last frame says so. */
export function isWhole(bytes: Buffer): boolean {
  return typesOf(bytes).some(({ type, isLast }) => type === DATA && isLast);
}

function typesOf(bytes: Buffer): { readonly type: number; readonly isLast: boolean }[] {
  const frames = [];
  for (let at = 0; at + FRAME_HEAD <= bytes.length; at += FRAME_HEAD + bytes.readUIntBE(at, 3)) {
    frames.push({ type: bytes.readUInt8(at + 3), isLast: (bytes.readUInt8(at + 4) & END_STREAM) !== 0 });
  }
  return frames;
}
