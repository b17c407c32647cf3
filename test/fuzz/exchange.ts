import { once } from 'node:events';
import { connect } from 'node:net';

/** Milliseconds of silence after which a request is taken for one that the service waits for the rest of. */
const SILENCE = 250;

/** Milliseconds after which a connection that both sides have finished with must be over. */
const PATIENCE = 15_000;

/** More than any answer is long. */
const LARGEST = 4 * 1024 * 1024;

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
 * Sends bytes, whatever they are, on a connection of their own, and reads what is answered: up to the head of a stream,
 * up to the close, or until it's clear that the service waits for more. Then it must let go when the client does.
 */
export async function exchange(port: number, bytes: Buffer, method: string): Promise<Exchange> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  let text = '';
  let wakeUp: (() => void) | undefined;
  socket.setEncoding('latin1').on('data', (data) => {
    if (text.length < LARGEST) text += String(data);
    wakeUp?.();
  });
  socket.on('end', () => wakeUp?.()).on('close', () => wakeUp?.());
  socket.write(bytes);
  const waitFor = async (milliseconds: number): Promise<void> => {
    const timer = setTimeout(() => wakeUp?.(), milliseconds);
    await new Promise<void>((resolve) => (wakeUp = resolve));
    clearTimeout(timer);
  };
  let parsed = readAnswers(text, method);
  for (let length = -1; !parsed.isStream && !socket.readableEnded && !socket.closed && text.length !== length;) {
    length = text.length;
    await waitFor(SILENCE);
    parsed = readAnswers(text, method);
  }
  socket.end();
  const deadline = performance.now() + PATIENCE;
  while (!parsed.isStream && !socket.readableEnded && !socket.closed && performance.now() < deadline) {
    await waitFor(deadline - performance.now());
  }
  const isOver = parsed.isStream || socket.readableEnded || socket.closed;
  socket.destroy();
  const { answers, rest } = readAnswers(text, method);
  return { answers, rest, isOver };
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
