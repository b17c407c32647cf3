import { connect as connectTls, type TLSSocket } from 'node:tls';
import { BodyDecoder } from '../../../bench/load/body-decoder.js';
import { HUB } from '../../../support/hub.js';

/** A stream that began: when, at which process, and at which one the reader was before. */
export interface Coming {
  readonly at: number;
  readonly process: string;
  readonly before: string;
}

export interface RoomReaderOptions {
  /** The proxy's, as `https://host:port`. */
  readonly url: string;
  /** What it subscribes to, as a query. */
  readonly query: string;
  readonly token: string;
  /** Called with each event that is no notice. */
  readonly onUpdate: (data: string) => void;
  /** Called with what an `EventSource` would not survive, or a reader should not be told. */
  readonly onFault: (fault: string) => void;
}

/** Milliseconds between two attempts where nobody has said it. */
const RETRY = 3_000;

/** What a reader may be told without anything being wrong. */
const EXPECTED: ReadonlySet<string> = new Set(['drain', 'cursor', 'caught-up']);

/**
 * A browser's `EventSource` behind a proxy, over TLS: it comes back after the end of a stream when it was told to, with the
 * last id that it has got, and is dead after any answer but a stream.
 */
export class RoomReader implements Disposable {
  readonly comings: Coming[] = [];
  /** How often a proxy answered for a hub that was away. */
  remedies = 0;
  private process = '';
  private retry = RETRY;
  private lastEventId = '';
  private socket: TLSSocket | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isOver = false;

  constructor(private readonly options: RoomReaderOptions) {
    this.connect();
  }

  /** The process that it has a stream of; empty where it has none. */
  get at(): string {
    return this.socket ? this.process : '';
  }

  [Symbol.dispose](): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.socket?.destroy();
  }

  private connect(): void {
    const { hostname, port } = new URL(this.options.url);
    const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false });
    const answer = new Answer({
      head: (head) => this.begin(head, socket),
      line: (line) => this.take(line),
    });
    socket.on('secureConnect', () => socket.write(this.request()));
    socket.on('data', (bytes: Buffer) => {
      answer.push(bytes);
      if (answer.hasEnded) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      this.event = { ...NOTHING };
      if (this.socket === socket) this.socket = undefined;
      if (!this.isOver) this.timer = setTimeout(() => this.connect(), this.retry);
    });
  }

  private request(): string {
    const lines = [
      `GET ${HUB}?${this.options.query} HTTP/1.1`,
      'Host: hub.example',
      'Accept: text/event-stream',
      `Authorization: Bearer ${this.options.token}`,
      ...(this.lastEventId === '' ? [] : [`Last-Event-ID: ${this.lastEventId}`]),
    ];
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  private begin(head: string, socket: TLSSocket): void {
    const [, status = ''] = /^HTTP\/1\.1 (\d+)/.exec(head) ?? [];
    if (status !== '200' || !/^content-type: text\/event-stream/im.test(head)) {
      return this.options.onFault(`a reader was answered ${status}`);
    }
    const [, process] = /^herald-process: (\S+)/im.exec(head) ?? [];
    if (process === undefined) {
      this.remedies += 1;
      return;
    }
    this.comings.push({ at: performance.now(), process, before: this.process });
    this.process = process;
    this.socket = socket;
  }

  private event = { ...NOTHING };

  private take(line: string): void {
    if (line === '') return this.dispatch();
    if (line.startsWith('retry: ')) this.retry = Number(line.slice(7));
    else if (line.startsWith('id: ')) this.event.id = line.slice(4);
    else if (line.startsWith('event: ')) this.event.type = line.slice(7);
    else if (line.startsWith('data: ')) this.event.data = line.slice(6);
  }

  private dispatch(): void {
    const { id, type, data } = this.event;
    this.event = { ...NOTHING };
    if (id !== '') this.lastEventId = id;
    if (data === '') return;
    if (type !== 'herald') return this.options.onUpdate(data);
    const notice = (JSON.parse(data) as { readonly type: string }).type;
    if (!EXPECTED.has(notice)) this.options.onFault(`a reader was told ${data}`);
  }
}

const NOTHING = { id: '', type: '', data: '' };

/** The lines of an answer's body, and its head before them. */
class Answer {
  private head: string | undefined = '';
  private text = '';
  private readonly decoder = new BodyDecoder({
    body: (bytes, start, end) => this.readLines(bytes.toString('utf8', start, end)),
  });

  constructor(
    private readonly sink: { readonly head: (head: string) => void; readonly line: (line: string) => void },
  ) {}

  get hasEnded(): boolean {
    return this.decoder.ended;
  }

  push(bytes: Buffer): void {
    if (this.head !== undefined) this.readHead(bytes);
    this.decoder.push(bytes, bytes.length);
  }

  private readHead(bytes: Buffer): void {
    this.head += bytes.toString('latin1');
    const end = this.head?.indexOf('\r\n\r\n') ?? -1;
    if (end === -1 || this.head === undefined) return;
    this.sink.head(this.head.slice(0, end));
    this.head = undefined;
  }

  private readLines(text: string): void {
    const lines = (this.text + text).split('\n');
    this.text = lines.pop() ?? '';
    for (const line of lines) this.sink.line(line);
  }
}
