/**
 * How the load generator speaks to one server: plain text with placeholders, so that it can be handed to another process.
 * `{topic}` stands for a topic's number, `{data}` for the payload (letters, digits and dots only, nothing to escape).
 */
export interface Target {
  readonly port: number;
  readonly subscribePath: string;
  readonly subscribeHeaders?: Readonly<Record<string, string>>;
  readonly publishPath: string;
  readonly publishHeaders: Readonly<Record<string, string>>;
  readonly publishBody: string;
  /** How several updates are published with one request; undefined where there is no such way. */
  readonly batch?: { readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly line: string };
}

/** The bytes of a subscription request, with `Last-Event-ID` when the reader resumes. */
export function subscribeRequest(target: Target, topic: number, lastEventId?: string): string {
  return requestHead('GET', target.subscribePath.replace('{topic}', String(topic)), {
    Host: `127.0.0.1:${target.port}`,
    Accept: 'text/event-stream',
    ...target.subscribeHeaders,
    ...(lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }),
  });
}

/** Makes publish requests of one target; the head is made once for each topic and payload size in a row, as it rarely changes. */
export class PublishRequests {
  private head = '';
  private headTopic = -1;
  private headBytes = -1;

  constructor(private readonly target: Target) {}

  /** The bytes of one publish request. */
  make(topic: number, data: string): string {
    const body = this.target.publishBody.replace('{topic}', String(topic)).replace('{data}', data);
    if (topic !== this.headTopic || body.length !== this.headBytes) {
      this.headTopic = topic;
      this.headBytes = body.length;
      this.head = requestHead('POST', this.target.publishPath.replace('{topic}', String(topic)), {
        Host: `127.0.0.1:${this.target.port}`,
        ...this.target.publishHeaders,
        'Content-Length': String(body.length),
      });
    }
    return this.head + body;
  }
}

/** The bytes of a request that publishes several updates. */
export function batchRequest(
  target: Target,
  batch: NonNullable<Target['batch']>,
  updates: readonly BatchUpdate[],
): string {
  const lines = updates.map(({ topic, data }) => {
    return `${batch.line.replace('{topic}', String(topic)).replace('{data}', data)}\n`;
  });
  const body = lines.join('');
  const headers = { Host: `127.0.0.1:${target.port}`, ...batch.headers, 'Content-Length': String(body.length) };
  return requestHead('POST', batch.path, headers) + body;
}

/** One update of several. */
export interface BatchUpdate {
  readonly topic: number;
  readonly data: string;
}

function requestHead(method: string, path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
