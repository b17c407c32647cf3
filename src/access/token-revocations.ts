/** Revokes all tokens that have every property named here, although they have not expired. */
export interface Revocation {
  /** The token's own name (`jti`). */
  readonly tokenId?: string | undefined;
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  /** Milliseconds since the epoch. Only tokens issued before are revoked, and those without a time of issue. */
  readonly issuedBefore?: number | undefined;
  /** When the token that is meant expires by itself, in milliseconds since the epoch, where that is known. */
  readonly expiresAt?: number | undefined;
}

/** Keeps what has been revoked: whoever says what tokens are good for does, and the hub only asks for it. */
export abstract class TokenRevocations {
  /**
   * Resolves when the revocation is stored for all processes, with the number of streams that this process has ended.
   * Earlier revocations stay in force.
   * @throws {HubError} `criteria-missing` for a subject without its issuer, where several are trusted;
   * `revocations-too-many`; or a `JournalUnavailableError` when it can't be stored, or it is unknown whether it was.
   */
  abstract add(revocation: Revocation): Promise<number>;
}
