import { randomUUID } from 'node:crypto';

/**
 * A stream's coming or going. It is stored once, however many matchers the stream has, and given out as several events,
 * which take as many positions in the log.
 */
export interface PresenceRecord {
  /** Made by {@link newRecordId}, because the ids of its events derive from it. */
  readonly id: string;
  /** How many events it is given out as, and so how many positions it takes; at least one. */
  readonly events: number;
  /** What the events are made of: text that is kept as it is. */
  readonly content: string;
}

/** The last digits of the id of a record's first event. They count the events. */
const FIRST = '0000';

export function newRecordId(): string {
  return `urn:uuid:${randomUUID().slice(0, -FIRST.length)}${FIRST}`;
}

/** What one of the record's events is known by within the hub. Readers get a cursor as its id: see `Cursors`. */
export function eventIdOf({ id }: Pick<PresenceRecord, 'id'>, index: number): string {
  return id.slice(0, -FIRST.length) + index.toString(16).padStart(FIRST.length, '0');
}
