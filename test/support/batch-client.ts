import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Readable } from 'node:stream';
import { publisherToken, HUB } from './hub.js';
import { requestTo } from './request.js';
import { type HeaderFields, PATIENCE, type Target } from './stream-client.js';
import type { Transport } from './transports.js';

/** A line of the answer to a batch. */
export interface BatchAnswer {
  readonly id?: string;
  readonly error?: { readonly code: string; readonly detail: string };
  readonly end?: string;
}

/** Megabytes that may wait to be sent over HTTP/2: above its limit Node resets the stream. */
const SESSION_MEMORY = 128;

/** What the transports differ in. */
interface Wire {
  readonly body: ClientRequest | ClientHttp2Stream;
  readonly session?: ClientHttp2Session;
  /** Resolves with the answer once its head has come. */
  readonly answer: Promise<{ readonly status: number; readonly lines: Readable }>;
}

/** A batch whose body goes on while its answer comes. `await using` breaks it off. */
export class BatchClient implements AsyncDisposable {
  readonly answers: BatchAnswer[] = [];
  status = 0;
  /** Whether the answer came to its proper end. */
  isComplete = false;
  /** Whether nothing more will come. */
  isOver = false;
  private written = 0;
  private lines: Readable | undefined;
  private text = '';
  private readonly waiting = new Set<() => void>();
  private lastWrite: Promise<unknown> = Promise.resolve();
  private readonly closed: Promise<unknown>;

  private constructor(
    private readonly wire: Wire,
    private isStalled: boolean,
  ) {
    this.closed = new Promise((resolve) => wire.body.once('close', resolve));
    wire.body
      .on('error', () => undefined)
      .on('close', () => {
        // Of an answer there may be more to read.
        if (!this.lines) this.over();
      });
    this.read().catch(() => undefined);
  }

  /** Asks for a batch, by default with a token that allows everything. */
  static async begin(
    transport: Transport,
    target: Target,
    { headers, isStalled = false }: { readonly headers?: HeaderFields; readonly isStalled?: boolean } = {},
  ): Promise<BatchClient> {
    const all = { 'content-type': 'application/x-ndjson', ...(headers ?? (await authorized())) };
    return new BatchClient(transport === 'http2' ? http2Wire(target, all) : http1Wire(target, all), isStalled);
  }

  /** Bytes of the body that have left this process. */
  get taken(): number {
    return this.written - this.wire.body.writableLength;
  }

  /** Bytes of the body that were given to it. */
  get given(): number {
    return this.written;
  }

  /** The answers to lines: all but the last line, where that tells of the end. */
  get ids(): (string | undefined)[] {
    return this.answers.filter(({ end }) => end === undefined).map(({ id }) => id);
  }

  /** How the answer says that it ended, if it does. */
  get end(): string | undefined {
    return this.answers.at(-1)?.end;
  }

  write(...lines: readonly object[]): void {
    this.writeText(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  writeText(text: string | Buffer): void {
    this.written += Buffer.byteLength(text);
    this.lastWrite = new Promise<unknown>((resolve) => void this.wire.body.write(text, resolve));
  }

  /** Resolves once all that was written has left this process, over HTTP/2 only if the answer is read meanwhile. */
  async flushed(): Promise<void> {
    await Promise.race([this.lastWrite, this.closed]);
  }

  /** Ends the body. */
  finish(text = ''): void {
    this.wire.body.end(text);
  }

  /** Resolves once all of the body has left this process, and its end. */
  async finished(): Promise<void> {
    const { body } = this.wire;
    const isSent = (): boolean => ('close' in body ? body.state.localClose === 1 : body.writableFinished);
    // oxlint-disable-next-line no-await-in-loop -- nothing tells of it
    while (!isSent() && !body.closed) await setImmediate();
  }

  /** Resolves once the head of the answer has come. */
  async head(): Promise<number> {
    await this.until(() => this.status !== 0);
    return this.status;
  }

  /** Resolves with the answer to a line, counted from 0. */
  async answerTo(index: number): Promise<BatchAnswer> {
    await this.until(({ answers }) => answers.length > index);
    return this.answers[index] ?? {};
  }

  /** Resolves once the answer is over, however it ended. */
  async ended(): Promise<this> {
    return this.until(({ isOver }) => isOver);
  }

  /** Takes the answer from now on. */
  resume(): void {
    this.isStalled = false;
    this.lines?.resume();
  }

  /** Breaks it off without any goodbye. The head must have come: a reset before it crashes workers of Jest over TLS. */
  async leave(): Promise<void> {
    await this.head();
    if ('close' in this.wire.body) this.wire.body.close(constants.NGHTTP2_CANCEL);
    else this.wire.body.destroy();
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.wire.body.destroy();
    this.wire.session?.destroy();
    await this.closed;
  }

  private async until(condition: (client: this) => boolean): Promise<this> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.changed();
    }, PATIENCE);
    try {
      while (!condition(this)) {
        if (this.isOver || isLate) throw new Error(`${this.isOver ? 'it ended' : 'waited in vain'}: ${this.explain()}`);
        // oxlint-disable-next-line no-await-in-loop -- until something has happened
        await new Promise<void>((resolve) => void this.waiting.add(resolve));
      }
      return this;
    } finally {
      clearTimeout(timer);
    }
  }

  private explain(): string {
    return `${this.status}, ${this.answers.length} answers, the last ${JSON.stringify(this.answers.slice(-3))}`;
  }

  private async read(): Promise<void> {
    const { status, lines } = await this.wire.answer;
    this.status = status;
    this.lines = lines;
    lines.on('data', (part: Buffer) => this.take(part.toString()));
    lines
      .on('error', () => undefined)
      .on('end', () => {
        this.isComplete = true;
        this.over();
      });
    // Where it is aborted, a stalled client would hear of the end only once it has read all that came before.
    lines.on('close', () => this.over()).on('aborted', () => this.over());
    if (this.isStalled) lines.pause();
    this.changed();
  }

  private take(part: string): void {
    const lines = (this.text + part).split('\n');
    this.text = lines.pop() ?? '';
    for (const line of lines) this.answers.push(JSON.parse(line) as BatchAnswer);
    this.changed();
  }

  private over(): void {
    this.isOver = true;
    this.changed();
  }

  /** Something has happened: whoever waits looks again. */
  private changed(): void {
    for (const wakeUp of this.waiting) wakeUp();
    this.waiting.clear();
  }
}

async function authorized(): Promise<HeaderFields> {
  return { authorization: `Bearer ${await publisherToken()}` };
}

function http1Wire({ url }: Target, headers: HeaderFields): Wire {
  const body = requestTo(`${url}${HUB}/batch`, { method: 'POST', headers, agent: false });
  body.flushHeaders();
  const answer = once(body, 'response').then(([response]) => {
    const { statusCode = 0 } = response as IncomingMessage;
    return { status: statusCode, lines: response as IncomingMessage };
  });
  answer.catch(() => undefined);
  return { body, answer };
}

function http2Wire({ url }: Target, headers: HeaderFields): Wire {
  const session = connect(url, { rejectUnauthorized: false, maxSessionMemory: SESSION_MEMORY }).on(
    'error',
    () => undefined,
  );
  const head = { ':method': 'POST', ':path': `${HUB}/batch`, ...headers };
  const body = session.request(head, { endStream: false });
  const answer = once(body, 'response').then(([fields]) => {
    return { status: Number((fields as Record<string, unknown>)[':status']), lines: body };
  });
  answer.catch(() => undefined);
  return { body, session, answer };
}
