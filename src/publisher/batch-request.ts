import { type ClientRequest, type IncomingMessage, request as requestHttp, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type Line, LineSplitter, TOO_LONG } from '../shared/line-splitter.js';

/** Characters of a refusal that are read. */
const LONGEST_PROBLEM = 16 * 1024;

/** Bytes of a line of the answer. */
const LONGEST_ANSWER = 64 * 1024;

/** Milliseconds that the hub has for the end of its answer once the body has ended. */
const GOODBYE = 1_000;

/** How a request came to its end. */
export type RequestEnd =
  /** The answer is whole: the hub's last line says why it ended before the body did, if it did. */
  | { readonly kind: 'ended'; readonly reason: string | undefined }
  /** The hub, or what stands before it, refuses the request. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly code: string;
      readonly detail: string;
      /** Milliseconds after which trying again may help. */
      readonly retryAfter: number | undefined;
    }
  /** The connection could not be made, or it broke. */
  | { readonly kind: 'broken'; readonly error: Error };

/** The answer to a line. */
export interface Answer {
  readonly id?: string;
  readonly error?: { readonly code: string; readonly detail: string };
}

export interface BatchRequestListener {
  /** The next line is answered; answers come in the order of the lines. */
  answered(answer: Answer): void;
  /** More may be written. */
  drained(): void;
  /** Called once. */
  over(end: RequestEnd): void;
}

/** One request to the hub's batch route: lines go out and answers come in, at the same time. */
export class BatchRequest {
  private readonly request: ClientRequest;
  private readonly lines = new LineSplitter(LONGEST_ANSWER);
  private reason: string | undefined;
  private isOver = false;

  constructor(
    url: URL,
    headers: Readonly<Record<string, string>>,
    options: RequestOptions,
    private readonly listener: BatchRequestListener,
  ) {
    const open = url.protocol === 'https:' ? requestHttps : requestHttp;
    this.request = open(url, {
      ...options,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-ndjson' },
    });
    this.request
      .on('response', (response) => this.read(response))
      .on('drain', () => this.listener.drained())
      .on('error', (error) => this.finish({ kind: 'broken', error }))
      .on('close', () => this.finish({ kind: 'broken', error: new Error('The connection was closed.') }));
  }

  /** Answers whether more may be written now. */
  write(lines: string): boolean {
    return this.request.write(lines);
  }

  /** Ends the body, with the last lines where there are some. */
  end(lines = ''): void {
    this.request.end(lines);
  }

  /** Ends the body, and resolves once the answer has ended as well. */
  async close(): Promise<void> {
    if (!this.isOver) {
      this.request.end();
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, GOODBYE);
        this.request.once('close', () => {
          clearTimeout(timer);
          resolve(undefined);
        });
      });
    }
    this.destroy();
  }

  destroy(): void {
    this.isOver = true;
    this.request.destroy();
  }

  private read(response: IncomingMessage): void {
    if (response.statusCode !== 200) return void this.readRefusal(response);
    response.on('data', (chunk: Buffer) => {
      for (const line of this.lines.split(chunk)) this.take(line);
    });
    response.on('end', () => {
      this.finish({ kind: 'ended', reason: this.reason });
      // What the hub does not read any more is of no use.
      this.request.destroy();
    });
    response.on('error', (error) => this.finish({ kind: 'broken', error }));
  }

  private take(line: Line): void {
    if (this.isOver) return;
    const answer = line === TOO_LONG ? undefined : parse(line.toString());
    if (!answer) {
      this.finish({ kind: 'broken', error: new Error('The answer is not that of a hub.') });
      this.request.destroy();
    } else if (typeof answer['end'] === 'string') this.reason = answer['end'];
    else this.listener.answered(answer);
  }

  private async readRefusal(response: IncomingMessage): Promise<void> {
    let text = '';
    try {
      for await (const part of response.setEncoding('utf8')) {
        text += part as string;
        if (text.length > LONGEST_PROBLEM) break;
      }
    } catch {
      // The status says enough.
    }
    const { statusCode: status = 0, headers } = response;
    const problem = parse(text) ?? {};
    const seconds = Number(headers['retry-after']);
    this.finish({
      kind: 'refused',
      status,
      code: typeof problem['code'] === 'string' ? problem['code'] : 'refused',
      detail: typeof problem['detail'] === 'string' ? problem['detail'] : `The answer has the status ${status}.`,
      retryAfter: seconds > 0 ? seconds * 1_000 : undefined,
    });
    this.request.destroy();
  }

  private finish(end: RequestEnd): void {
    if (this.isOver) return;
    this.isOver = true;
    this.listener.over(end);
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
