/** Why the client asks for a token. */
export interface TokenRequest {
  /** `unauthorized`: the hub has just refused the last token. `expired`: the hub ended the stream because of it. */
  readonly reason: 'initial' | 'reconnect' | 'expired' | 'unauthorized' | 'publish';
  /** `publish` also where a token for publishing was refused, and `reason` says only that. */
  readonly use?: 'publish';
  readonly signal: AbortSignal;
}

/**
 * Returns a token that is valid now. A JWT is kept until shortly before its `exp`; for any other token it is called for
 * each attempt.
 */
export type TokenProvider = (request: TokenRequest) => string | Promise<string>;
