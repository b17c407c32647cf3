import { messageOf } from '../shared/errors/message-of.js';

/**
 * A handler has done its work, but what it returned could not be published. It has no status of its own, so that Nest logs
 * it and answers 500: the request was right.
 */
export class NotPublishedError extends Error {
  override readonly name = 'NotPublishedError';

  /** @param handler its class and method. */
  constructor(
    readonly handler: string,
    cause: unknown,
  ) {
    super(`What ${handler} has returned was not published: ${messageOf(cause)}.`, { cause });
  }
}
