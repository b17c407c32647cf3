import type { Entry } from '../../../storage/journal/journal.js';
import type { Update } from '../../../storage/journal/update.js';
import type { Notice } from '../../../streams/frames/frame.js';
import { textInBothFormats, type WireBytes } from '../../../streams/frames/wire-bytes.js';

/**
 * An entry as a reader in the same process gets it: a line of JSON, which has all that is known of it and keeps the line
 * ends of the data, where a frame of an event stream would not.
 */
export interface UpdateRecord extends Omit<Update, 'topics'> {
  /** Those that the reader may be told. */
  readonly topics: readonly string[];
  /** When it was stored, in milliseconds since the epoch, where that is known. */
  readonly time?: number | undefined;
}

/** What a reader in the same process is told besides, and a name for its place in the log. */
export interface NoticeRecord {
  readonly notice: Notice;
  readonly id?: string | undefined;
}

export function updateRecord({ update, storedAt }: Entry, topics: readonly string[]): WireBytes {
  const record: UpdateRecord = { ...update, topics, time: storedAt };
  return textInBothFormats(`${JSON.stringify(record)}\n`);
}

export function noticeRecord(notice: Notice, id: string | undefined): WireBytes {
  const record: NoticeRecord = { notice, id };
  return textInBothFormats(`${JSON.stringify(record)}\n`);
}

export function readRecord(line: string): UpdateRecord | NoticeRecord {
  return JSON.parse(line) as UpdateRecord | NoticeRecord;
}
