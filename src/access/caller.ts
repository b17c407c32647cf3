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
