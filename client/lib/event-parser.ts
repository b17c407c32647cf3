/** One event of a stream, as the block between two blank lines said it. */
export interface ParsedEvent {
  /** The block's own id; undefined when it had none, and then the last event id stays what it was. */
  readonly id: string | undefined;
  /** `message` where the block named no type. */
  readonly type: string;
  readonly data: string;
  /** The values of `topic:` fields, which Herald writes when asked to and every other reader ignores. */
  readonly topics: readonly string[];
}

/** Receives what the parser reads. */
export interface ParserListener {
  event(event: ParsedEvent): void;
  /** The last event id has moved: at a blank line, before the block's event, and also for a block without data. */
  moved(lastEventId: string): void;
  /** The hub's wish for the reconnection delay, in milliseconds. It holds at once, without a blank line. */
  retry(milliseconds: number): void;
  /** An event was too long to be held, and was left out. The last event id has moved past it all the same. */
  tooLong(): void;
}

/** The most characters of one event. What exceeds this is broken, or an attempt to fill the memory. */
const MAX_EVENT_LENGTH = 16 * 1024 ** 2;

/** A line's field name and its value, without the one space that may lead it. A comment is a field without a name. */
const FIELD = /^([^:]*)(?:: ?)?(.*)$/s;

/** A line that is ignored, and is not blank. */
const COMMENT = ':';

/** What the lines since the last blank one have said. */
interface Block {
  isTooLong?: boolean;
  id?: string | undefined;
  type?: string;
  data?: string;
  readonly topics: string[];
}

/**
 * An incremental parser of `text/event-stream` (HTML Standard, section 9.2.6): bytes in, events out, however the bytes
 * were split. What is unfinished at the end of a stream is discarded with the parser, its id too.
 */
export class EventParser {
  readonly #listener: ParserListener;
  /** Drops one leading byte-order mark and turns malformed bytes into U+FFFD, as the standard asks. */
  readonly #decoder = new TextDecoder();
  /** A line that has not ended yet. */
  #rest = '';
  #hadCarriageReturn = false;
  /** Characters since the last blank line. */
  #length = 0;
  #block: Block = { topics: [] };

  constructor(listener: ParserListener) {
    this.#listener = listener;
  }

  push(bytes: Uint8Array): void {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === '') return;
    // A CR at the end of a chunk ends its line at once. An LF at the start of the next one is the rest of a CRLF then.
    if (this.#hadCarriageReturn && text.startsWith('\n')) text = text.slice(1);
    this.#hadCarriageReturn = text.endsWith('\r');
    // Only what is new is searched: a long line that comes in many pieces takes time for its length, not its square.
    const lines = text.split(/\r\n|\n|\r/);
    lines[0] = this.#rest + lines[0];
    this.#rest = lines.pop() ?? '';
    this.#length += text.length;
    for (const line of lines) {
      if (line === '') this.#dispatch();
      else if (!this.#block.isTooLong) this.#takeField(line);
    }
    if (this.#length > MAX_EVENT_LENGTH) this.#giveUpEvent();
  }

  /** Forgets what the event has said, but for its id, and reads over the rest of it. */
  #giveUpEvent(): void {
    this.#block = { id: this.#block.id, isTooLong: true, topics: [] };
    if (this.#rest !== '') this.#rest = COMMENT;
  }

  #takeField(line: string): void {
    const block = this.#block;
    const [, name, value = ''] = FIELD.exec(line) ?? [];
    if (name === 'data') block.data = block.data === undefined ? value : `${block.data}\n${value}`;
    else if (name === 'event') block.type = value;
    else if (name === 'topic') block.topics.push(value);
    else if (name === 'id' && !value.includes('\0')) block.id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.#listener.retry(Number(value));
  }

  #dispatch(): void {
    const { id, type, data, topics, isTooLong } = this.#block;
    this.#block = { topics: [] };
    this.#length = 0;
    if (id !== undefined) this.#listener.moved(id);
    if (isTooLong) this.#listener.tooLong();
    else if (data !== undefined) this.#listener.event({ id, type: type || 'message', data, topics });
  }
}
