/** Why the client asks for a token. */
export interface TokenRequest {
  /** `unauthorized`: the hub has just refused the last token. `expired`: the hub ended the stream because of it. */
  readonly reason: 'initial' | 'reconnect' | 'expired' | 'unauthorized' | 'publish';
  readonly signal: AbortSignal;
}

/** Returns a token that is valid now. It is called for each attempt, so it should remember a valid token. */
export type TokenProvider = (request: TokenRequest) => string | Promise<string>;
