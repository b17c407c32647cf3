import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SignJWT } from 'jose';
import { EventStream, send, textOf } from './event-stream.js';
import { type Herald, startHerald } from './herald.js';
import { KeptAlive } from './request.js';
import type { Target } from './stream-client.js';

export const HUB = '/.well-known/mercure';

export const PUBLISHER_KEY = 'a publisher key for tests that is long enough';
export const SUBSCRIBER_KEY = 'a subscriber key for tests that is long enough';

export const ADMIN_KEY = 'an administrator key for tests that is long enough';

/** What tokens must name as their issuer and audience. */
export const ISSUER = 'herald';
export const RESOURCE = 'https://hub.example/.well-known/mercure';

const DETAIL_TYPE = 'https://mercure.rocks/authorization-detail';

/** A matcher as tokens have it. */
export type TokenMatcher = { readonly match: string; readonly match_type?: string };

export interface TokenOptions {
  readonly topics?: readonly TokenMatcher[];
  readonly subject?: string;
  /** A duration from now, or a date. */
  readonly expires?: string | Date;
  /** Others than usual, or more. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, string>>;
  readonly payload?: object;
  /** Another key than the role's. */
  readonly key?: string;
}

/** A token that allows publishing, by default to everything. */
export function publisherToken(options: TokenOptions = {}): Promise<string> {
  return sign('publish', PUBLISHER_KEY, options);
}

/** A token that allows reading private updates, by default all. */
export function subscriberToken(options: TokenOptions = {}): Promise<string> {
  return sign('subscribe', SUBSCRIBER_KEY, options);
}

/** A token of the current protocol, by default all that R41 asks for. */
function sign(action: string, key: string, options: TokenOptions): Promise<string> {
  const { topics = [{ match: '*' }], subject, expires = '1h', claims = {}, header = {}, payload } = options;
  const details = [{ type: DETAIL_TYPE, actions: [action], topics, ...(payload && { payload }) }];
  const token = new SignJWT({ authorization_details: details, ...claims });
  if (subject) token.setSubject(subject);
  if (!('iss' in claims)) token.setIssuer(ISSUER);
  if (!('aud' in claims)) token.setAudience(RESOURCE);
  if (!('exp' in claims)) token.setExpirationTime(expires);
  return token
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header })
    .sign(new TextEncoder().encode(options.key ?? key));
}

/** A token that makes somebody an administrator. */
export function adminToken(options: TokenOptions = {}): Promise<string> {
  return sign('admin', ADMIN_KEY, options);
}

/** A token of the 0.x dialect, which knows neither issuer nor audience. */
export function legacyToken(
  role: 'publisher' | 'subscriber',
  mercure: object,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return new SignJWT({ mercure, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(role === 'publisher' ? PUBLISHER_KEY : SUBSCRIBER_KEY));
}

/** Keys that the tokens above fit, and readers that need none. */
export const HUB_ENVIRONMENT: Readonly<Record<string, string>> = {
  HERALD_PUBLISHER_KEY: PUBLISHER_KEY,
  HERALD_SUBSCRIBER_KEY: SUBSCRIBER_KEY,
  HERALD_ANONYMOUS: 'true',
  HERALD_RESOURCE: RESOURCE,
  // Some tests have tokens of the seventies, to revoke those that were issued before others.
  HERALD_MAX_TOKEN_AGE: '40000d',
};

/** For a service that speaks TLS: HTTP/1.1 and HTTP/2 on the same port, and nothing in the clear. */
export const TLS_ENVIRONMENT: Readonly<Record<string, string>> = {
  HERALD_TLS_CERT_FILE: certificate('first.crt'),
  HERALD_TLS_KEY_FILE: certificate('first.key'),
};

function certificate(name: string): string {
  return fileURLToPath(new URL(`certificates/${name}`, import.meta.url));
}

/** The service with keys that the tokens above fit, and readers that need none. */
export function startHub(env: Readonly<Record<string, string>> = {}, port = 0): Promise<Herald> {
  return startHerald({ port, env: { ...HUB_ENVIRONMENT, ...env } });
}

export type Fields = Readonly<Record<string, string | readonly string[]>>;

export function form(fields: Fields): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one) => [name, one] as [string, string]),
  );
  return new URLSearchParams(pairs).toString();
}

/** Publishes on kept-alive connections, as a backend does. */
export class Publisher implements Disposable {
  private readonly connections = new KeptAlive(64);

  private constructor(
    private readonly herald: Target,
    private readonly token: string,
  ) {}

  static async of(herald: Target, options: TokenOptions = {}): Promise<Publisher> {
    return new Publisher(herald, await publisherToken(options));
  }

  /** Publishes and answers with the id. */
  async publish(fields: Fields, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const response = await this.post(form(fields), headers);
    const text = await textOf(response);
    if (response.statusCode !== 200) throw new Error(`publishing was refused with ${response.statusCode}: ${text}`);
    return text;
  }

  /** The same, and again for as long as the hub has more to do than it can: others may be busy on this machine, too. */
  async publishInTime(fields: Fields): Promise<string> {
    for (;;) {
      const response = await this.post(form(fields));
      const text = await textOf(response);
      if (response.statusCode === 200) return text;
      if (response.statusCode !== 503) throw new Error(`publishing was refused with ${response.statusCode}: ${text}`);
      await delay(1_000 * Number(response.headers['retry-after'] ?? 1));
    }
  }

  /** Publishes a batch, of which no line may be refused. */
  async publishAll(lines: readonly object[]): Promise<void> {
    const body = lines.map((line) => JSON.stringify(line)).join('\n');
    const response = await this.post(body, { 'content-type': 'application/x-ndjson' }, `${HUB}/batch`);
    const refused = (await textOf(response)).split('\n').filter((answer) => answer.includes('"error":'));
    if (refused.length > 0) throw new Error(`lines of a batch were refused: ${refused[0]}`);
  }

  /** Sends any body, and gives the answer whatever it is. */
  async post(
    body: string | Buffer,
    headers: Readonly<Record<string, string>> = {},
    path = HUB,
  ): Promise<IncomingMessage> {
    const request = this.connections.request(this.herald.url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Bearer ${this.token}`,
        ...headers,
      },
    });
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  }

  [Symbol.dispose](): void {
    this.connections[Symbol.dispose]();
  }
}

export interface SubscribeOptions {
  /** The query, or just an exact topic. */
  readonly query: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Opens a subscription and resolves once the hub has begun to answer. */
export async function subscribe(herald: Herald, { query, headers = {} }: SubscribeOptions): Promise<EventStream> {
  const response = await send(`${herald.url}${HUB}?${query}`, { headers });
  const stream = new EventStream(response);
  if (response.statusCode !== 200) throw new Error(`subscribing was refused with ${response.statusCode}`);
  return stream;
}

/** The held updates with a topic, oldest first, at most a thousand. */
export async function heldUpdates({ url }: Herald, topic: string): Promise<{ id: string; data: string }[]> {
  const response = await send(`${url}${HUB}/history?match=${topic}&order=asc&limit=1000`);
  return JSON.parse(await textOf(response)) as { id: string; data: string }[];
}

/** What a stream delivered, without the hub's own notices. */
export function updatesOf(stream: EventStream): { id: string | undefined; data: string }[] {
  return stream.events.filter(({ event }) => event !== 'herald').map(({ id, data }) => ({ id, data }));
}

/** The hub's own notices in a stream. */
export function noticesOf(stream: EventStream): Record<string, unknown>[] {
  return stream.events
    .filter(({ event }) => event === 'herald')
    .map(({ data }) => JSON.parse(data) as Record<string, unknown>);
}
