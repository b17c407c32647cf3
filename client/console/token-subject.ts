import { claimsOf } from './token-claims.js';
import { t } from './translation.js';

/** The `sub` of a JWT, to be shown: the token is not verified. */
export function subjectOf(token: string | undefined): string | undefined {
  const sub = claimsOf(token ?? '')?.['sub'];
  return typeof sub === 'string' ? sub : undefined;
}

/** What to call whoever has this token; undefined without one. */
export function nameOf(token: string | undefined): string | undefined {
  return token === undefined ? undefined : (subjectOf(token) ?? t('unnamed'));
}
