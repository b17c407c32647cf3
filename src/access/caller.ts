/** Who asked for a stream, as far as it is known. Times are milliseconds since the epoch. */
export interface Caller {
  readonly subject?: string;
  /** The issuer of the token (`iss`), who vouches for the subject. */
  readonly issuer?: string;
  /** The token's id (`jti`). */
  readonly tokenId?: string;
  readonly issuedAt?: number;
  /** When the grants expire. The caller's streams end then (R62). */
  readonly expiresAt?: number;
  /** The key that the token is signed with. Once it is gone the grants count no more, and the caller's streams end. */
  readonly signedWith?: CallerKey;
}

/** A key that tokens are verified with, as long as it is trusted. */
export interface CallerKey {
  readonly isGone: boolean;
}

export const NOBODY: Caller = {};

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
