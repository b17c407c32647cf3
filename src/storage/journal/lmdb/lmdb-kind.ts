import type { StoredEntry } from '../journal.js';
import { eventIdOf, type PresenceRecord } from '../presence-record.js';
import { type Update, weightOf, weightOfText } from '../update.js';

/** What every record has. */
export interface Identified {
  readonly id: string;
}

/** What the journal has to know of a kind of records: everything else is the same for all of them. */
export interface RecordKind<Content extends Identified> {
  /**
   * The names of its tables in the LMDB environment. A kind that nobody looks for by id has no index of ids, and one of
   * which nothing is taken out has no list of that.
   */
  readonly tables: {
    readonly records: string;
    readonly ids?: string;
    readonly keys: string;
    readonly takenOut?: string;
  };
  /** The fields of a record's text: the content first, and then what is given. */
  readonly pack: (content: Content, idempotencyKey: string | null, fingerprint: string | null) => readonly unknown[];
  readonly unpack: (fields: readonly unknown[]) => Content;
  /** The id of its last event, which answers to publishers have. */
  readonly lastIdOf: (content: Content) => string;
  /** How many positions it takes. */
  readonly positionsOf: (content: Content) => number;
  /** See {@link weightOf}. */
  readonly weightOf: (content: Content) => number;
  readonly entryOf: (position: number, content: Content, storedAt: number) => StoredEntry;
}

type UpdateFields = readonly [
  id: string,
  topics: readonly string[],
  data: string,
  isPrivate: boolean,
  type: string | null,
  retry: number | null,
  ...rest: readonly unknown[],
];

/** Where an update has its trace that belongs to one: others have no field there. */
const TRACE_AT = 8;

export const UPDATES: RecordKind<Update> = {
  tables: { records: 'entries', ids: 'ids', keys: 'keys', takenOut: 'taken-out' },
  pack: ({ id, topics, data, private: isPrivate, type = null, retry = null, traceparent }, ...rest): UpdateFields => [
    id,
    topics,
    data,
    isPrivate,
    type,
    retry,
    // Twice around it, because some older builds look for what is given after `retry`, and others at the end.
    ...(traceparent === undefined ? [] : [...rest, traceparent]),
    ...rest,
  ],
  unpack: (fields) => {
    const [id, topics, data, isPrivate, type, retry] = fields as UpdateFields;
    const update = { topics, data, id, private: isPrivate };
    return {
      ...update,
      ...(type !== null && { type }),
      ...(retry !== null && { retry }),
      ...(fields.length > TRACE_AT && { traceparent: fields[TRACE_AT] as string }),
    };
  },
  lastIdOf: ({ id }) => id,
  positionsOf: () => 1,
  weightOf,
  entryOf: (position, update, storedAt) => ({ position, update, storedAt }),
};

type PresenceFields = readonly [id: string, events: number, content: string, ...rest: readonly unknown[]];

export const PRESENCE: RecordKind<PresenceRecord> = {
  tables: { records: 'presence', keys: 'presence-keys' },
  pack: ({ id, events, content }, ...rest): PresenceFields => [id, events, content, ...rest],
  unpack: (fields) => {
    const [id, events, content] = fields as PresenceFields;
    return { id, events, content };
  },
  lastIdOf: (record) => eventIdOf(record, record.events - 1),
  positionsOf: ({ events }) => events,
  weightOf: ({ id, content }) => weightOfText(id) + weightOfText(content),
  entryOf: (position, record) => ({ position, record }),
};
