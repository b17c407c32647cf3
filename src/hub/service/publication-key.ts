import { hash } from 'node:crypto';
import type { Caller } from '../../access/caller.js';
import type { AppendOptions } from '../../storage/journal/journal.js';
import type { Update } from '../../storage/journal/update.js';

/** That of the last publisher, who has most often more to publish. */
let last: { readonly publisher: Caller; readonly prefix: string } | undefined;

function prefixOf(publisher: Caller): string {
  if (last?.publisher !== publisher) {
    const { issuer = '', subject = '' } = publisher;
    last = { publisher, prefix: `${issuer}\n${subject}\n` };
  }
  return last.prefix;
}

/** What an update is stored with, once: an idempotency key is its publisher's own, and comes again only with the same update. */
export class PublicationKey implements AppendOptions {
  readonly idempotencyKey: string;

  /** @param givenId the id that the publisher has chosen, because one that the hub makes differs from one attempt to the next. */
  constructor(
    key: string,
    publisher: Caller,
    private readonly givenId: string | undefined,
    private readonly update: Update,
  ) {
    this.idempotencyKey = prefixOf(publisher) + key;
  }

  /** Made when it is asked for: the memory journal needs it only where a key comes again. */
  get fingerprint(): string {
    const { topics, data, private: isPrivate, type, retry } = this.update;
    return hash('sha256', JSON.stringify([topics, data, isPrivate, type, retry, this.givenId]), 'base64');
  }
}
