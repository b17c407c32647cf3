/** Who asked for a stream, as far as it is known. Times are milliseconds since the epoch. */
export interface Caller {
  readonly subject?: string;
  /** Who vouches for the subject. */
  readonly issuer?: string;
  /** The token's own name (`jti`). */
  readonly tokenId?: string;
  readonly issuedAt?: number;
  /** When what the caller was granted ends, and with it the stream (R62). */
  readonly expiresAt?: number;
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
