/** Why the client asks for a token. */
export interface TokenRequest {
  /** `unauthorized`: the hub has just refused the last one. `expired`: it has ended the stream because of it. */
  readonly reason: 'initial' | 'reconnect' | 'expired' | 'unauthorized' | 'publish';
  readonly signal: AbortSignal;
}

/** Gives a token that is good now. It is called for each attempt, so it should remember the token while it is good. */
export type TokenProvider = (request: TokenRequest) => string | Promise<string>;
