import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { textOf } from '../../support/event-stream.js';
import { KeptAlive } from '../../support/request.js';
import { makeToken, RESOURCE } from '../tokens.js';

/** Connections that are kept to one hub. */
const SOCKETS = 4;
const FORM = 'application/x-www-form-urlencoded';

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly next: string | undefined;
}

/** The application behind a hub: publishes, takes updates out, revokes tokens, asks for the history. */
export class Backend implements Disposable {
  private readonly connections = new KeptAlive(SOCKETS);
  private readonly hub = new URL(RESOURCE).pathname;
  private readonly tokens = {
    publish: makeToken('publish', { subject: 'backend', seconds: 86_400 }).text,
    subscribe: makeToken('subscribe', { subject: 'backend', seconds: 86_400 }).text,
    observe: makeToken('subscribe', {
      subject: 'observer',
      seconds: 86_400,
      topics: [{ match: `${new URL(RESOURCE).pathname}/subscriptions{/*}?`, match_type: 'urlpattern' }],
    }).text,
    admin: makeToken('admin', { subject: 'administrator', seconds: 86_400 }).text,
  };

  constructor(private readonly url: string) {}

  /** Publishes an update, and resolves with its id. */
  async publish(fields: Readonly<Record<string, string>>): Promise<string> {
    const body = new URLSearchParams(fields).toString();
    const headers = { 'content-type': FORM };
    return (await this.ask('POST', this.hub, this.tokens.publish, { headers, body })).text;
  }

  /** Publishes many at once. */
  async publishAll(updates: readonly object[]): Promise<void> {
    const body = updates.map((update) => `${JSON.stringify(update)}\n`).join('');
    const headers = { 'content-type': 'application/x-ndjson' };
    await this.ask('POST', `${this.hub}/batch`, this.tokens.publish, { headers, body });
  }

  async purge(by: Readonly<Record<string, string>>): Promise<void> {
    await this.ask('DELETE', `/admin/updates?${new URLSearchParams(by).toString()}`, this.tokens.admin);
  }

  /** @param name the token's own. */
  async revoke(name: string, expires: number): Promise<void> {
    const body = JSON.stringify({ jti: name, exp: expires });
    await this.ask('POST', '/admin/revocations', this.tokens.admin, {
      headers: { 'content-type': 'application/json' },
      body,
    });
  }

  async history(topic: string): Promise<void> {
    const query = new URLSearchParams({ match: topic, limit: '10' }).toString();
    await this.ask('GET', `${this.hub}/history?${query}`, this.tokens.subscribe);
  }

  /** Reads everything that is held, as somebody who comes back after long. */
  async replay(): Promise<void> {
    const path = `${this.hub}?match=*&last_event_id=earliest`;
    const response = await this.send('GET', path, this.tokens.subscribe);
    for await (const bytes of response) if (String(bytes).includes('"caught-up"')) break;
    response.destroy();
  }

  /** How many subscriptions the hub says there are. */
  async subscriptions(): Promise<number> {
    let count = 0;
    for (let next: string | undefined = `${this.hub}/subscriptions`; next !== undefined;) {
      const answer: Answer = await this.ask('GET', next, this.tokens.observe);
      count += (JSON.parse(answer.text) as { readonly subscriptions: readonly object[] }).subscriptions.length;
      next = answer.next;
    }
    return count;
  }

  [Symbol.dispose](): void {
    this.connections[Symbol.dispose]();
  }

  private async ask(
    method: string,
    path: string,
    token: string,
    more: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
  ): Promise<Answer> {
    const response = await this.send(method, path, token, more);
    const status = response.statusCode ?? 0;
    const text = await textOf(response);
    if (status < 200 || status > 299) throw new Refusal(status, `${method} ${path.split('?', 1)[0]}: ${status}`);
    return { status, text, next: /<([^>]+)>; rel="next"/.exec(String(response.headers.link))?.[1] };
  }

  private async send(
    method: string,
    path: string,
    token: string,
    { headers = {}, body = '' }: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
  ): Promise<IncomingMessage> {
    const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const request = this.connections.request(new URL(path, this.url).href, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers, ...length },
    });
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    request.on('error', () => undefined);
    return response;
  }
}

/** The hub did not do what it was asked for. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}
