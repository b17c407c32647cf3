import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { ISSUER, PUBLISHER_KEY, SUBSCRIBER_KEY } from '../support/hub.js';
import { jsonable, nested } from './values.js';

const DETAIL_TYPE = 'https://mercure.rocks/authorization-detail';

function base64(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

function signed(header: string, payload: string, key: string): string {
  const signature = createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url');
  return `${header}.${payload}.${signature}`;
}

export interface Token {
  readonly text: string;
  readonly isForged: boolean;
}

type Action = 'publish' | 'subscribe';

/** Tokens: good ones, ones that are well signed and say something odd, and ones that nobody with a key has signed. */
export function tokens(action: Action, audience: string, now: number): fc.Arbitrary<Token> {
  const key = action === 'publish' ? PUBLISHER_KEY : SUBSCRIBER_KEY;
  const header = base64({ alg: 'HS256', typ: 'at+jwt' });
  const detail = { type: DETAIL_TYPE, actions: [action], topics: [{ match: '*' }] };
  const claims = { iss: ISSUER, aud: audience, exp: now + 3_600, sub: 'fuzz', authorization_details: [detail] };
  const good = signed(header, base64(claims), key);
  const [, payload = '', signature = ''] = good.split('.');
  const oddValue = fc.oneof(
    fc.anything({ maxDepth: 2 }).map(jsonable),
    fc.constantFrom(null, '', [], {}, Infinity, 'x'.repeat(9_000)),
  );
  const odd = fc.oneof(
    fc
      .tuple(fc.constantFrom(...Object.keys(claims), 'nbf', 'iat', 'jti', 'mercure'), oddValue)
      .map(([name, value]) => signed(header, base64({ ...claims, [name]: value }), key)),
    fc
      .tuple(fc.constantFrom(...Object.keys(detail), 'payload'), oddValue)
      .map(([name, value]) =>
        signed(header, base64({ ...claims, authorization_details: [{ ...detail, [name]: value }] }), key),
      ),
    fc
      .constantFrom(50, 500, 2_500)
      .map((depth) =>
        signed(header, base64(`{"iss":"${ISSUER}","authorization_details":${nested(depth, '[', ']')}}`), key),
      ),
    fc
      .tuple(fc.constantFrom('typ', 'alg', 'crit', 'kid', 'b64', 'jwk', 'jku'), oddValue)
      .map(([name, value]) => signed(base64({ alg: 'HS256', typ: 'at+jwt', [name]: value }), payload, key)),
    fc
      .constantFrom('AAAA', base64('{'), base64(nested(2_000, '{"a":', '}')), '_')
      .map((other) => signed(other, payload, key)),
    fc.constantFrom('AAAA', base64('{'), base64('null'), '_').map((other) => signed(header, other, key)),
    fc.constant(signed(header, base64({ ...claims, exp: now - 60 }), key)),
  );
  const forged = fc.oneof(
    fc
      .constantFrom('none', 'None', 'RS256', 'HS384')
      .map((alg) => `${base64({ alg, typ: 'at+jwt' })}.${payload}.${signature}`),
    fc.constant(`${base64({ alg: 'none', typ: 'at+jwt' })}.${payload}.`),
    fc.constant(signed(header, payload, '')),
    fc.constant(signed(header, payload, action === 'publish' ? SUBSCRIBER_KEY : PUBLISHER_KEY)),
    // Never the last character, of which some bits are of no account.
    fc.nat(signature.length - 2).map((at) => `${header}.${payload}.${replaceAt(signature, at)}`),
    fc.nat(payload.length - 2).map((at) => `${header}.${replaceAt(payload, at)}.${signature}`),
    fc.nat(signature.length - 2).map((length) => `${header}.${payload}.${signature.slice(0, length)}`),
    fc.constant(`${header}.${payload}.${signature}${signature}`),
  );
  return fc.oneof(
    { arbitrary: fc.constant({ text: good, isForged: false }), weight: 4 },
    { arbitrary: odd.map((text) => ({ text, isForged: false })), weight: 1 },
    { arbitrary: forged.map((text) => ({ text, isForged: true })), weight: 1 },
  );
}

function replaceAt(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
}
