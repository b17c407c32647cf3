/**
 * An update was not stored, or it is not known whether it was: the message says which. `code` is the hub's own (as
 * `topic-reserved`), or one of the publisher's: `queue-full`, `unreachable`, `closed`, and `refused` for an answer that
 * is not the hub's.
 */
export class PublishError extends Error {
  override readonly name = 'PublishError';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
