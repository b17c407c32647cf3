import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export type Answer = (response: ServerResponse, request?: IncomingMessage) => void;

/** A stream that says `text` and stays open. */
export function stream(text = '', headers: Readonly<Record<string, string>> = {}): Answer {
  return (response, request) => {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'herald-heartbeat': '20',
      // As Herald does: where the stream begins.
      'mercure-last-event-id': encodeURI((request && cursorOf(request)) || 'head'),
      ...headers,
    });
    response.write(text === '' ? ':\n' : text);
  };
}

function cursorOf({ url = '' }: IncomingMessage): string | null {
  return new URL(url, 'http://x').searchParams.get('last_event_id');
}

/** The same, and ends cleanly. */
export function streamThatEnds(text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response, request) => {
    stream(text, headers)(response, request);
    response.end();
  };
}

export function status(code: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => response.writeHead(code, headers).end();
}

/** A refusal as Herald says it. */
export function refusal(answer: number, code: string, more: object = {}): Answer {
  return (response) => {
    response.writeHead(answer, { 'content-type': 'application/problem+json; charset=utf-8' });
    response.end(JSON.stringify({ status: answer, code, detail: 'The test wants it so.', ...more }));
  };
}

/** A hub that answers as a test says, one request after the other; the last answer is for all that follow. */
export class ScriptedHub implements AsyncDisposable {
  readonly requests: IncomingMessage[] = [];

  private constructor(
    private readonly server: Server,
    answers: readonly Answer[],
  ) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const answer = answers[Math.min(this.requests.length, answers.length - 1)];
      this.requests.push(request);
      answer?.(response, request);
    });
  }

  static async start(...answers: Answer[]): Promise<ScriptedHub> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedHub(server, answers);
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the server does not listen');
    return `http://127.0.0.1:${address.port}`;
  }

  /** The ids that it was asked to resume after. */
  get cursors(): (string | null)[] {
    return this.requests.map(cursorOf);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }
}
