import type { Socket } from 'node:net';
import { connectTcp, secure } from '../support/sockets.js';

/** Milliseconds of silence after which a request is taken for one that the service waits for the rest of. */
const SILENCE = 250;

/** Milliseconds after which a connection that both sides have finished with must be over. */
export const PATIENCE = 15_000;

/** More than any answer is long. */
export const LARGEST = 4 * 1024 * 1024;

export interface Answer {
  readonly status: number;
  /** In lower case; the last of several. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Exchange {
  readonly answers: readonly Answer[];
  /** What can't be read as answers. */
  readonly rest: string;
  /** Whether the service has let go of a connection on which nothing more could come. */
  readonly isOver: boolean;
}

/**
 * Sends bytes, whatever they are, on a connection of their own, over TLS where the address says so, and reads what is
 * answered: up to the head of a stream, up to the close, or until it's clear that the service waits for more. Then it must
 * let go when the client does.
 */
export async function exchange(url: string, bytes: Buffer, method: string): Promise<Exchange> {
  const tcp = await connectTcp(url, { allowHalfOpen: true });
  const socket = url.startsWith('https:') ? await secure(tcp, 'http/1.1') : tcp;
  const inflow = new Inflow(socket);
  const read = (): Read => readAnswers(inflow.bytes.toString('latin1'), method);
  socket.write(bytes);
  await inflow.untilSilence(() => read().isStream);
  socket.end();
  const isOver = read().isStream || (await inflow.untilEnd());
  socket.destroy();
  const { answers, rest } = read();
  return { answers, rest, isOver };
}

/** What comes in on a connection, up to a limit, and whether it still does. */
export class Inflow {
  private readonly pieces: Buffer[] = [];
  private length = 0;
  private wakeUp = (): void => undefined;

  constructor(private readonly socket: Socket) {
    socket.on('data', (piece: Buffer) => {
      if (this.length < LARGEST) this.pieces.push(piece);
      this.length += piece.length;
      this.wakeUp();
    });
    socket.on('error', () => undefined);
    socket.on('end', () => this.wakeUp()).on('close', () => this.wakeUp());
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }

  private get isOver(): boolean {
    return this.socket.readableEnded || this.socket.closed;
  }

  /** Resolves once `isEnough`, once nothing more can come, or once nothing has come for a while. */
  async untilSilence(isEnough: () => boolean): Promise<void> {
    for (let length = -1; !this.isOver && this.length !== length && !isEnough();) {
      ({ length } = this);
      await this.wait(SILENCE);
    }
  }

  /** Answers whether the service has let go, for which it is given a long while. */
  async untilEnd(): Promise<boolean> {
    const deadline = performance.now() + PATIENCE;
    while (!this.isOver && performance.now() < deadline) await this.wait(deadline - performance.now());
    return this.isOver;
  }

  /** Resolves once something happens, or after so many milliseconds. */
  private async wait(milliseconds: number): Promise<void> {
    const timer = setTimeout(() => this.wakeUp(), milliseconds);
    await new Promise<void>((resolve) => (this.wakeUp = resolve));
    clearTimeout(timer);
  }
}

interface Read {
  readonly answers: Answer[];
  readonly rest: string;
  readonly isStream: boolean;
}

function readAnswers(text: string, method: string): Read {
  const answers: Answer[] = [];
  let rest = text;
  for (;;) {
    const head = headOf(rest);
    if (!head) return { answers, rest, isStream: false };
    const { status, headers } = head;
    const after = rest.slice(head.length);
    const isStream = status === 200 && (headers['content-type'] ?? '').startsWith('text/event-stream');
    const body = isStream || method === 'HEAD' || status === 100 ? { text: '', length: 0 } : bodyOf(after, headers);
    if (!body) return { answers, rest, isStream: false };
    if (status !== 100) answers.push({ status, headers, body: Buffer.from(body.text, 'latin1').toString() });
    if (isStream) return { answers, rest: '', isStream };
    rest = after.slice(body.length);
  }
}

/** The head at the beginning of `rest`, if it is all there. */
function headOf(rest: string): (Pick<Answer, 'status' | 'headers'> & { length: number }) | undefined {
  const end = rest.indexOf('\r\n\r\n');
  const [first = '', ...lines] = rest.slice(0, Math.max(0, end)).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1] ?? 0);
  if (status === 0) return undefined;
  const pairs = lines.map((line) => /^([^:]*):\s*(.*)$/.exec(line) ?? []);
  const headers = Object.fromEntries(pairs.map(([, name = '', value = '']) => [name.toLowerCase(), value]));
  return { status, headers, length: end + 4 };
}

/** The body at the beginning of `rest`, and how much of that it takes; nothing while it isn't all there. */
function bodyOf(rest: string, headers: Answer['headers']): { text: string; length: number } | undefined {
  if (headers['transfer-encoding'] !== 'chunked') {
    const length = Number(headers['content-length'] ?? rest.length);
    return rest.length < length ? undefined : { text: rest.slice(0, length), length };
  }
  let text = '';
  for (let at = 0; ;) {
    const start = rest.indexOf('\r\n', at) + 2;
    const size = Number.parseInt(rest.slice(at, start), 16);
    if (start < 2 || rest.length < start + size + 2) return undefined;
    if (!(size > 0)) return { text, length: start + 2 };
    text += rest.slice(start, start + size);
    at = start + size + 2;
  }
}
