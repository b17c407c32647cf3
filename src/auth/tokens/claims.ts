import type { Caller } from '../../access/caller.js';

/** What a token says, once its signature has been verified. */
export type Claims = Readonly<Record<string, unknown>>;

/** Who the claims are about (RFC 9068, 2.2). */
export function callerOf(claims: Claims): Caller {
  const { sub, iss, jti, iat, exp } = claims;
  return {
    ...(typeof sub === 'string' && { subject: sub }),
    ...(typeof iss === 'string' && { issuer: iss }),
    ...(typeof jti === 'string' && { tokenId: jti }),
    ...(typeof iat === 'number' && { issuedAt: iat * 1_000 }),
    ...(typeof exp === 'number' && { expiresAt: exp * 1_000 }),
  };
}
