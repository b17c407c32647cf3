import { createHmac, randomBytes } from 'node:crypto';
import type { Target } from '../load/target.js';

/** All that the benchmark knows of Herald's interface: its variables, its paths, its token. */
const PUBLISHER_KEY = randomBytes(32).toString('hex');
const SUBSCRIBER_KEY = randomBytes(32).toString('hex');
const ISSUER = 'https://herald.local';
const HUB_PATH = '/.well-known/mercure';
const TOKEN_SECONDS = 6 * 60 * 60;

export const HERALD_READY_PATH = '/health/ready';

/** The service as an operator runs it, with readers that need no token and the request log off, as in the other servers. */
export function heraldEnvironment(port: number): Readonly<Record<string, string>> {
  return {
    HERALD_ANONYMOUS: 'true',
    HERALD_PUBLISHER_KEY: PUBLISHER_KEY,
    HERALD_SUBSCRIBER_KEY: SUBSCRIBER_KEY,
    HERALD_ISSUER: ISSUER,
    HERALD_RESOURCE: resource(port),
    LOG_LEVEL: 'warn',
  };
}

/** How readers and publishers speak to it. */
export function heraldTarget(port: number): Target {
  const topic = 'https%3A%2F%2Fbench.example%2F{topic}';
  const authorization = { Authorization: `Bearer ${publisherToken(port)}` };
  return {
    port,
    subscribePath: `${HUB_PATH}?match=${topic}`,
    publishPath: HUB_PATH,
    publishHeaders: { ...authorization, 'Content-Type': 'application/x-www-form-urlencoded' },
    publishBody: `topic=${topic}&data={data}`,
    batch: {
      path: `${HUB_PATH}/batch`,
      headers: { ...authorization, 'Content-Type': 'application/x-ndjson' },
      line: '{"topic":"https://bench.example/{topic}","data":"{data}"}',
    },
  };
}

function resource(port: number): string {
  return `http://127.0.0.1:${port}${HUB_PATH}`;
}

function publisherToken(port: number): string {
  return token(port, 'publish', PUBLISHER_KEY);
}

/** What a reader shows who may read everything, as somebody with a name. */
export function subscriberToken(port: number): string {
  return token(port, 'subscribe', SUBSCRIBER_KEY);
}

function token(port: number, action: 'publish' | 'subscribe', key: string): string {
  const now = Math.floor(Date.now() / 1000);
  const signed = [
    { alg: 'HS256', typ: 'at+jwt' },
    {
      iss: ISSUER,
      sub: 'benchmark',
      aud: resource(port),
      iat: now,
      exp: now + TOKEN_SECONDS,
      authorization_details: [
        { type: 'https://mercure.rocks/authorization-detail', actions: [action], topics: [{ match: '*' }] },
      ],
    },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}
