import type { HeraldClientOptions } from '../api.js';
import { type Claims, claimsOf } from '../claims.js';
import { digestOf } from './digest.js';

/** Who reads in a page, as digests. */
export interface Reader {
  readonly subject: string;
  /** The subject, a dot, and what it may read: the name of the group that shares a connection. */
  readonly group: string;
}

/** Whoever reads without a token and without cookies: all such tabs read the same. */
const ANYBODY: Reader = { subject: 'anybody', group: 'anybody.' };

/**
 * Claims that differ between two tokens of one person, and decide nothing of what may be read. All others count, because
 * an application behind the hub may decide by any of them.
 */
const PASSING = new Set(['exp', 'iat', 'nbf', 'jti', 'auth_time', 'nonce', 'at_hash', 'sid', 'session_state']);

/**
 * Identifies the reader, to tell one person's tabs from another's, and from those of the same person that may read
 * something else; undefined where that is unknown. Nothing is trusted because of it: the hub decides who may read what.
 */
export async function readerOf(
  token: string | undefined,
  { subject, cookies }: Pick<HeraldClientOptions, 'subject' | 'cookies'>,
): Promise<Reader | undefined> {
  const claims = token ? claimsOf(token) : undefined;
  const person = personOf(claims, subject);
  if (person === undefined) return token || cookies ? undefined : ANYBODY;
  const digest = await digestOf(person);
  return { subject: digest, group: `${digest}.${await digestOf(grantsOf(claims))}` };
}

function personOf(claims: Claims | undefined, subject: string | undefined): string | undefined {
  if (subject !== undefined) return `as ${subject}`;
  const { sub, iss } = claims ?? {};
  return typeof sub === 'string' ? JSON.stringify([iss, sub]) : undefined;
}

function grantsOf(claims: Claims = {}): string {
  const lasting = Object.entries(claims).filter(([name]) => !PASSING.has(name));
  return JSON.stringify(lasting.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
