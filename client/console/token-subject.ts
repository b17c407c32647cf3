import { claimsOf } from './token-claims.js';

/** The `sub` of a JWT, to be shown: the token is not verified. */
export function subjectOf(token: string | undefined): string | undefined {
  const sub = claimsOf(token ?? '')?.['sub'];
  return typeof sub === 'string' ? sub : undefined;
}
