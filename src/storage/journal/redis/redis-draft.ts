import type { AppendOptions } from '../journal.js';
import { eventIdOf, type PresenceRecord } from '../presence-record.js';
import type { Update } from '../update.js';

/** What an append script is given for one entry. */
export interface Draft {
  /** How many events a presence record has; undefined for an update. */
  readonly events?: number;
  readonly id: string;
  /** The part that Redis need not look into. */
  readonly content: string;
  readonly options: AppendOptions;
  /** The id of its last event: what the append is answered with. */
  readonly lastEventId: string;
}

/** A batch of drafts, which the script recognises by its number when it is sent again. */
export interface Batch {
  readonly number: number;
  readonly drafts: readonly Draft[];
}

/** The draft of an update. `updateOf` in `redis-row.ts` reads its content. */
export function draftOfUpdate(update: Update, options: AppendOptions): Draft {
  const { id } = update;
  return { id, content: JSON.stringify({ ...update, id: undefined }), options, lastEventId: id };
}

/** The draft of a coming or going. */
export function draftOfRecord(record: PresenceRecord, options: AppendOptions): Draft {
  const { id, events, content } = record;
  return { events, id, content, options, lastEventId: eventIdOf(record, events - 1) };
}

/** The draft as the script takes it: see `append.lua`. */
export function argumentsOf({ events, id, content, options, lastEventId }: Draft): (string | number)[] {
  const { idempotencyKey = '', fingerprint = '' } = options;
  return [events ?? '', id, content, idempotencyKey, fingerprint, lastEventId];
}
