import { Buffer } from 'node:buffer';

/**
 * The media type of every stream. It names the only charset there is (HTML, section 9.2.5), because clients that follow
 * HTTP alone, such as Python's requests, decode ISO-8859-1 otherwise, and take a byte 0x85 for the end of a line.
 */
export const EVENT_STREAM = 'text/event-stream; charset=utf-8';

/** One event as `text/event-stream` has it. */
export interface Frame {
  /** Becomes the client's last event id. Without one the client keeps the id that it has. */
  readonly id?: string;
  /** The event's name. Default, also when empty: none, which clients see as `message`. */
  readonly type?: string | undefined;
  /** How long the client waits before it reconnects, in milliseconds. */
  readonly retry?: number | undefined;
  readonly data: string;
  /**
   * One `topic:` line each: a field that Herald's client reads, and every other reader ignores, as the standard asks.
   */
  readonly topics?: readonly string[];
  /** A `traceparent:` line, which every reader ignores that has not asked for it. */
  readonly trace?: string | undefined;
  /** Seen by nobody but whoever reads the stream as text. */
  readonly comment?: string;
}

/** What a notice says, as JSON. A notice is an event that the hub itself sends within a stream; `type` says which. */
export interface Notice {
  readonly type: string;
  readonly [field: string]: unknown;
}

const LINE_END = /\r\n|\r|\n/;

/**
 * The text of one event, complete with its blank line (HTML, section 9.2.5): LF only, never a byte-order mark, one
 * `data:` line for each line of the data, and always the space after the colon, so that a value that starts with a
 * space keeps it. A lone surrogate becomes U+FFFD once it is encoded, and CR and CRLF in the data arrive as LF: the format has no other
 * line end.
 *
 * @throws TypeError when `id`, `type` or a topic has a line end or U+0000, or `retry` is no whole number: check first
 */
export function frameText({ id, type, retry, topics = [], trace, data, comment }: Frame): string {
  let text = '';
  if (id !== undefined) text += `id: ${singleLine('id', id)}\n`;
  if (type !== undefined && type !== '') text += `event: ${singleLine('type', type)}\n`;
  if (retry !== undefined) text += retryLine(retry);
  for (const topic of topics) text += `topic: ${singleLine('topic', topic)}\n`;
  if (trace !== undefined) text += `traceparent: ${singleLine('trace', trace)}\n`;
  if (comment !== undefined) text += lines(':', comment);
  text += lines('data:', data);
  return `${text}\n`;
}

/** Bytes of a frame without topics, trace and comments. Most frames need not be made for that. */
export function frameLength(frame: Omit<Frame, 'topics' | 'trace' | 'comment'>): number {
  const { id, type, retry, data } = frame;
  if (type !== undefined || retry !== undefined || hasLineEnd(data)) {
    return Buffer.byteLength(frameText({ ...frame, topics: [] }));
  }
  return (id === undefined ? 0 : ID_LINE + Buffer.byteLength(id)) + DATA_LINE + Buffer.byteLength(data) + 1;
}

/** The expression would look at each character by itself, which took a fiftieth of an update's time in a batch. */
function hasLineEnd(text: string): boolean {
  return text.includes('\n') || text.includes('\r');
}

/** Bytes of a line with this field besides its value. */
const ID_LINE = 'id: \n'.length;
const DATA_LINE = 'data: \n'.length;

/**
 * A comment, which keeps a connection from looking idle. It has no blank line after it: some clients take any blank
 * line for an event, and would report an empty one with each heartbeat.
 */
export function encodeComment(text: string): Buffer {
  return Buffer.from(text === '' ? ':\n' : lines(':', text));
}

/** What goes along with a notice. */
export interface NoticeOptions {
  /** The client's cursor, to come back with. Without an id the client keeps the one that it has. */
  readonly id?: string | undefined;
  /** See {@link Frame.retry}. */
  readonly retry?: number;
}

/** What the hub tells a client within its stream: an event named `herald`. */
export function encodeNotice(notice: Notice, options?: NoticeOptions): Buffer {
  return Buffer.from(noticeText(notice, options));
}

function noticeText(notice: Notice, { id, retry }: NoticeOptions = {}): string {
  const data = JSON.stringify(notice);
  return frameText({ type: 'herald', data, ...(id !== undefined && { id }), ...(retry !== undefined && { retry }) });
}

const CURSOR_NOTICE = noticeText({ type: 'cursor' });

/** A notice that only gives the client its cursor, as the event's id. A stream may begin with it. */
export function cursorText(id: string): string {
  return `id: ${id}\n${CURSOR_NOTICE}`;
}

/** How long to wait before reconnecting, in milliseconds. Like a comment it has no blank line after it. */
export function retryLine(milliseconds: number): string {
  if (!Number.isSafeInteger(milliseconds) || milliseconds < 0) {
    throw new TypeError('retry must be a whole number of milliseconds');
  }
  return `retry: ${milliseconds}\n`;
}

/** The same for a client that gets nothing else. The comment shows line by line readers that the field is complete. */
export function encodeRetry(milliseconds: number): Buffer {
  return Buffer.from(`${retryLine(milliseconds)}:\n`);
}

function lines(field: 'data:' | ':', text: string): string {
  // Most data is one line of JSON, and need not be split.
  if (!hasLineEnd(text)) return `${field} ${text}\n`;
  let encoded = '';
  for (const line of text.split(LINE_END)) encoded += `${field} ${line}\n`;
  return encoded;
}

function singleLine(field: string, value: string): string {
  // Dropping such a character silently could turn one id into another.
  if (value.includes('\n') || value.includes('\r') || value.includes('\0')) {
    throw new TypeError(`${field} must not contain CR, LF or U+0000`);
  }
  return value;
}
