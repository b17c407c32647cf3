import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { KeptAlive } from './request.js';
import type { Target } from './stream-client.js';
import type { Transport } from './transports.js';

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface AnswerHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Answer extends AnswerHead {
  readonly body: string;
}

/** An answer of which nothing is taken until its body is read. */
export interface BegunAnswer extends AnswerHead {
  readonly body: Readable;
}

/** Asks over one of the transports, on connections that are kept. `using` closes them, whatever is under way. */
export class Asker implements Disposable {
  private readonly connections = new KeptAlive(Infinity);
  private session: ClientHttp2Session | undefined;

  constructor(
    private readonly transport: Transport,
    private readonly target: Target,
  ) {}

  async ask(path: string, question: Question = {}): Promise<Answer> {
    const { body, ...head } = await this.begin(path, question);
    return { ...head, body: await text(body) };
  }

  /** Asks, and resolves once the answer has begun. */
  begin(path: string, question: Question = {}): Promise<BegunAnswer> {
    return this.transport === 'http2' ? this.overHttp2(path, question) : this.overHttp1(path, question);
  }

  private async overHttp1(path: string, { method = 'GET', headers = {}, body = '' }: Question): Promise<BegunAnswer> {
    const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const request = this.connections.request(this.target.url + path, { method, headers: { ...length, ...headers } });
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    // A test may break it off.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    return { status: response.statusCode ?? 0, headers: response.headers, body: response };
  }

  private async overHttp2(path: string, { method = 'GET', headers = {}, body = '' }: Question): Promise<BegunAnswer> {
    this.session ??= connect(this.target.url, { rejectUnauthorized: false }).on('error', () => undefined);
    const stream = this.session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === '' });
    if (body !== '') stream.end(body);
    const [answered] = (await once(stream, 'response')) as [Record<string, unknown>];
    stream.on('error', () => undefined);
    return { status: Number(answered[':status']), headers: answered, body: stream };
  }

  [Symbol.dispose](): void {
    this.connections[Symbol.dispose]();
    this.session?.destroy();
  }
}
