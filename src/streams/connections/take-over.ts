import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { chunkText } from '../frames/chunk.js';
import { EVENT_STREAM } from '../frames/frame.js';
import type { Connection } from './connection.js';
import type { OutstandingBytes } from '../registry/outstanding-bytes.js';
import { ResponseConnection } from './response-connection.js';
import { SocketConnection } from './socket-connection.js';
import type { WireFormat } from '../frames/wire-bytes.js';

type Headers = Readonly<Record<string, number | string | readonly string[] | undefined>>;

/** What every stream says of itself. */
const STREAM_HEADERS: Headers = {
  'content-type': EVENT_STREAM,
  'cache-control': 'private, no-cache, no-store, must-revalidate, max-age=0, no-transform',
  'x-accel-buffering': 'no',
};

/**
 * `STREAM_HEADERS` as text. A request's headers are not merged with them into one object, because V8 keeps such an
 * object until a full collection.
 */
const STREAM_LINES = Object.entries(STREAM_HEADERS)
  .map(([name, value]) => `${name}: ${String(value)}\r\n`)
  .join('');

/**
 * Whether a stream can begin on this response. On HTTP/1 the response must have the connection: one that waits behind
 * another response, because its request was sent ahead of that answer (pipelining), might wait for ever.
 */
export function canTakeOver(request: IncomingMessage, response: ServerResponse | Http2ServerResponse): boolean {
  return request.httpVersionMajor !== 1 || (response as ServerResponse).socket !== null;
}

/**
 * Begins an event stream on `response` and takes it away from the framework: from here on nobody else writes to it, and
 * no further request is read from an HTTP/1 connection. Sends the status, `headers` and the `first` frame at once.
 */
export function takeOver(
  request: IncomingMessage,
  response: ServerResponse | Http2ServerResponse,
  { headers, first, outstanding }: StreamStart,
): Connection {
  const socket = request.httpVersionMajor === 1 ? detach(request, response as ServerResponse) : undefined;
  if (!socket) return writeThrough(request, response, { headers, first, outstanding });
  const format: WireFormat = request.httpVersionMinor === 0 ? 'plain' : 'chunked';
  const connection = new SocketConnection(socket, format, outstanding);
  connection.write(Buffer.from(headOf(headers, format) + (format === 'chunked' ? chunkText(first) : first), 'latin1'));
  return connection;
}

export interface StreamStart {
  readonly headers: Headers;
  /**
   * What the stream begins with, in ASCII. It shares one write with the head: each costs a system call and a packet.
   */
  readonly first: string;
  readonly outstanding: OutstandingBytes;
}

function writeThrough(
  request: IncomingMessage,
  response: ServerResponse | Http2ServerResponse,
  { headers, first, outstanding }: StreamStart,
): Connection {
  const isHttp1 = request.httpVersionMajor === 1;
  const all = { ...headers, ...STREAM_HEADERS, ...(isHttp1 && { connection: 'close' }) };
  response.writeHead(200, all as Record<string, string>);
  const connection = new ResponseConnection(response, outstanding);
  if (!isHttp1) letGoWhenReset(request, response);
  connection.write(Buffer.from(first, 'latin1'));
  return connection;
}

/**
 * Destroys an HTTP/2 response whose client has reset it without an error, and reads its request to the end: Node would
 * keep the stream otherwise.
 */
function letGoWhenReset(request: IncomingMessage, response: ServerResponse | Http2ServerResponse): void {
  request.once('aborted', () => (response as Writable).destroy());
  request.resume();
}

/** The parser behind a socket of Node's HTTP server, as far as it is needed here. Node does not document it. */
interface Parser {
  incoming?: unknown;
  outgoing?: unknown;
  socket?: unknown;
  onIncoming?: unknown;
  unconsume(): void;
  remove(): void;
  free(): void;
  close(): void;
}

/** The names of the listeners that read requests, and that abort those of a connection that has closed. */
const DATA_LISTENER = 'bound socketOnData';
const CLOSE_LISTENER = 'bound socketOnClose';

/**
 * The names of the listeners by which Node's server serves HTTP on a socket. Those of others, such as Nest's HTTP
 * adapter, stay.
 */
const SERVER_LISTENERS = new Set([
  DATA_LISTENER,
  'bound socketOnEnd',
  CLOSE_LISTENER,
  'bound socketOnDrain',
  'socketOnTimeout',
  'socketOnError',
  'onSocketPause',
  'onSocketResume',
]);

/** The events that these listeners listen to. */
const SERVER_EVENTS = ['data', 'end', 'close', 'drain', 'timeout', 'error', 'pause', 'resume'];

/**
 * Detaches from the socket everything that HTTP needs and a stream does not: the parser, the request, the response and
 * their listeners. An idle connection was measured to take 5.3 KiB then instead of 9.7. Node itself does the same when
 * a request is upgraded. This relies on parts of Node that are not documented, so each is looked for first; if one is
 * missing, the result is undefined, and the stream is written through the response instead.
 */
function detach(request: IncomingMessage, response: ServerResponse): Socket | undefined {
  const { socket } = response;
  const parser = socket && (socket as Socket & { parser?: unknown }).parser;
  if (!socket || socket.destroyed || !request.complete) return;
  const listeners = isParser(parser) ? serverListeners(socket) : undefined;
  if (!isParser(parser) || !listeners) return;
  // Requests that were sent ahead of this one's answer (pipelining) get none; the close listener aborts them in the
  // end.
  const hasFollowers = parser.incoming !== request;
  // The refusal of a follower pauses the socket, and only one of the listeners that go starts reading again.
  if (socket.isPaused()) socket.emit('resume');
  response.detachSocket(socket);
  letGo(parser);
  Object.assign(socket, { parser: null });
  for (const [event, listener] of listeners) if (event !== 'close' || !hasFollowers) socket.off(event, listener);
  // Tells whoever waits for the response that it is over; the socket goes on without it.
  response.emit('close');
  return socket;
}

function letGo(parser: Parser): void {
  parser.unconsume();
  parser.remove();
  for (const part of ['incoming', 'outgoing', 'socket', 'onIncoming'] as const) parser[part] = null;
  parser.free();
  // Not now: it may be this parser that has called us.
  setImmediate(() => parser.close());
}

type Listener = (...args: unknown[]) => void;

/**
 * The listeners by which Node's server serves HTTP on this socket, with their events; undefined where it does not do so in
 * the way that is undone here.
 */
function serverListeners(socket: Socket): (readonly [string, Listener])[] | undefined {
  const found: (readonly [string, Listener])[] = [];
  const names = new Set<string>();
  for (const event of SERVER_EVENTS) {
    for (const listener of socket.listeners(event) as Listener[]) {
      // Read once, because Node makes the name of a bound function anew each time.
      const { name } = listener;
      if (!SERVER_LISTENERS.has(name)) continue;
      found.push([event, listener]);
      names.add(name);
    }
  }
  return names.has(DATA_LISTENER) && names.has(CLOSE_LISTENER) ? found : undefined;
}

function isParser(parser: unknown): parser is Parser {
  return (
    typeof parser === 'object' &&
    parser !== null &&
    'incoming' in parser &&
    ['unconsume', 'remove', 'free', 'close'].every((name) => typeof (parser as never)[name] === 'function')
  );
}

/** One text that grows, because joining a list of lines took three microseconds more of each stream. */
function headOf(headers: Headers, format: WireFormat): string {
  let head = `HTTP/1.1 200 ${STATUS_CODES[200]}\r\ndate: ${dateNow()}\r\n`;
  for (const name of Object.keys(headers)) {
    if (name in STREAM_HEADERS) continue;
    const value = headers[name];
    if (Array.isArray(value)) for (const one of value as readonly string[]) head += lineOf(name, one);
    else if (value !== undefined) head += lineOf(name, String(value));
  }
  // A socket that was taken over has no parser left that could read another request.
  return `${head}${STREAM_LINES}connection: close\r\n${format === 'chunked' ? 'transfer-encoding: chunked\r\n' : ''}\r\n`;
}

/** The line that a header had last, of as many headers as an application may have: most say the same on each stream. */
const lastLines = new Map<string, { readonly value: string; readonly line: string }>();
const MOST_LINES = 64;

function lineOf(name: string, value: string): string {
  const last = lastLines.get(name);
  if (last?.value === value) return last.line;
  const line = `${name}: ${cleanValue(value)}\r\n`;
  if (last || lastLines.size < MOST_LINES) lastLines.set(name, { value, line });
  return line;
}

const UNCLEAN = /[^\t\x20-\x7e\x80-\xff]/;

function cleanValue(value: string): string {
  return UNCLEAN.test(value) ? value.replaceAll(new RegExp(UNCLEAN, 'g'), '') : value;
}

let second = 0;
let dateOfSecond = '';

/**
 * The current time as an HTTP date. The text is kept for a second, because writing it takes longer than looking at the
 * clock.
 */
function dateNow(): string {
  const now = Math.floor(Date.now() / 1_000);
  if (now !== second) {
    second = now;
    dateOfSecond = new Date(now * 1_000).toUTCString();
  }
  return dateOfSecond;
}
