/** Every way the hub refuses something. A code that has been released keeps its meaning for good. */
export type HubErrorCode =
  // An update that can't be accepted.
  | 'topic-missing'
  | 'topic-invalid'
  | 'topic-reserved'
  | 'topic-too-long'
  | 'topics-too-many'
  | 'id-invalid'
  | 'id-too-long'
  | 'type-invalid'
  | 'type-too-long'
  | 'retry-invalid'
  | 'data-invalid'
  // A subscription that can't be accepted.
  | 'matcher-missing'
  | 'matcher-unknown'
  | 'matcher-invalid'
  | 'matcher-too-long'
  | 'matchers-too-many'
  | 'last-invalid'
  | 'connection-busy'
  // A request that can't be read.
  | 'encoding-invalid'
  | 'media-type-unsupported'
  | 'not-acceptable'
  | 'body-too-large'
  | 'fields-too-many'
  | 'parameters-too-many'
  | 'batch-line-invalid'
  | 'batch-lines-too-many'
  | 'idempotency-key-invalid'
  | 'idempotency-key-conflict'
  // Who asks, and whether the hub can answer.
  | 'unauthorized'
  | 'token-malformed'
  | 'token-invalid'
  | 'token-revoked'
  | 'origin-refused'
  | 'keys-unavailable'
  | 'insufficient-scope'
  | 'not-found'
  // What an administrator asks for.
  | 'criteria-missing'
  | 'criteria-invalid'
  | 'revocations-too-many'
  | 'journal-unavailable'
  | 'journal-full';

/**
 * A refusal. The message says what was wrong and what to do about it, and is told to the caller: it never repeats what
 * the caller sent, nor anything that the caller may not know.
 */
export class HubError extends Error {
  override readonly name = 'HubError';

  constructor(
    readonly code: HubErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
