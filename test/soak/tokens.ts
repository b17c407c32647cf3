import { createHmac, randomBytes } from 'node:crypto';

export const RESOURCE = 'https://hub.example/.well-known/mercure';
const ISSUER = 'herald';
const DETAIL_TYPE = 'https://mercure.rocks/authorization-detail';

type Action = 'publish' | 'subscribe' | 'admin';

const KEYS: Readonly<Record<Action, string>> = { publish: newKey(), subscribe: newKey(), admin: newKey() };

/** The variables by which a service takes the tokens that are made here. */
export const KEY_ENVIRONMENT: Readonly<Record<string, string>> = {
  HERALD_RESOURCE: RESOURCE,
  HERALD_PUBLISHER_KEY: KEYS.publish,
  HERALD_SUBSCRIBER_KEY: KEYS.subscribe,
  HERALD_ADMIN_KEY: KEYS.admin,
};

export interface Bearer {
  readonly topics?: readonly { readonly match: string; readonly match_type?: string }[];
  readonly subject: string;
  /** The token's own name, by which it can be revoked. */
  readonly name?: string;
  /** Whole seconds from now. */
  readonly seconds: number;
}

export interface Token {
  readonly text: string;
  /** Seconds since 1970. */
  readonly expires: number;
}

/** A token for some topics, by default all. It is made at once, because thousands of readers ask for one all the time. */
export function makeToken(action: Action, { topics = [{ match: '*' }], subject, name, seconds }: Bearer): Token {
  const now = Math.floor(Date.now() / 1_000);
  const expires = now + seconds;
  const claims = {
    iss: ISSUER,
    sub: subject,
    aud: RESOURCE,
    iat: now,
    exp: expires,
    ...(name !== undefined && { jti: name }),
    authorization_details: [{ type: DETAIL_TYPE, actions: [action], topics }],
  };
  const signed = [{ alg: 'HS256', typ: 'at+jwt' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return { text: `${signed}.${createHmac('sha256', KEYS[action]).update(signed).digest('base64url')}`, expires };
}

function newKey(): string {
  return randomBytes(32).toString('hex');
}
