import { traceParentOf } from '../../../shared/trace/traceparent.js';
import type { ReadEntry } from '../journal.js';
import type { PresenceRecord } from '../presence-record.js';
import type { Update } from '../update.js';

/** Identifies an entry: the same position with another nonce is another entry. */
export interface Place {
  readonly position: number;
  readonly nonce: number;
}

/** The place of an entry whose nonce may not be remembered. */
export interface KnownPlace {
  readonly position: number;
  readonly nonce: number | undefined;
}

/** An entry as its stream has it; damaged where another program has put something into its place. */
export type Row = ReadEntry &
  Place & {
    /** Which stream has it. */
    readonly store: 'updates' | 'presence';
    /** How many positions it takes, of which `position` is the last. */
    readonly events: number;
    /** The nonce of the entry before it, in whichever stream that lies. */
    readonly previous: number;
  };

/** A row as Redis gives it: its stream id, and its fields with their names. */
export type StreamRow = [string, string[]];

/** Reads a row of the updates' stream. */
export function readUpdate([streamId, fields]: StreamRow): Row {
  const [, previous, , storedAt, , id = '', , , , content = ''] = fields;
  const update = updateOf(id, content);
  return {
    ...placeOf(streamId),
    store: 'updates',
    events: 1,
    previous: Number(previous),
    ...(update && { update, storedAt: Number(storedAt) }),
  };
}

/** Reads a row of the stream of comings and goings. */
export function readRecord([streamId, fields]: StreamRow): Row {
  const [, previous, , , , id = '', , , , content, , events] = fields;
  const record = recordOf(id, Number(events), content);
  return {
    ...placeOf(streamId),
    store: 'presence',
    events: record?.events ?? 1,
    previous: Number(previous),
    ...(record && { record }),
  };
}

/** The place that a row's stream id says. */
export function placeOf(streamId: string): Place {
  const [position, nonce] = streamId.split('-');
  return { position: Number(position), nonce: Number(nonce) };
}

/** The update; undefined when `content` is not what `draftOfUpdate` has written. */
function updateOf(id: string, content: string): Update | undefined {
  try {
    const { topics, data, private: isPrivate, type, retry, traceparent } = JSON.parse(content) as Partial<Update>;
    if (id === '' || !Array.isArray(topics) || typeof data !== 'string') return undefined;
    if (!topics.every((topic) => typeof topic === 'string')) return undefined;
    const trace = traceParentOf(traceparent);
    const optional = {
      ...(type !== undefined && { type }),
      ...(retry !== undefined && { retry }),
      ...(trace && { traceparent: trace.text }),
    };
    return { topics, data, id, private: isPrivate !== false, ...optional };
  } catch {
    return undefined;
  }
}

/** The record; undefined when the fields are not those of one. */
function recordOf(id: string, events: number, content: string | undefined): PresenceRecord | undefined {
  const isWhole = id !== '' && content !== undefined && Number.isSafeInteger(events) && events > 0;
  return isWhole ? { id, events, content } : undefined;
}
