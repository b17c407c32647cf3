import { Buffer } from 'node:buffer';
import { type Entry, firstPositionOf, type PresenceEntry } from '../../../storage/journal/journal.js';
import { eventIdOf } from '../../../storage/journal/presence-record.js';
import { type Update, weightOf, weightOfText } from '../../../storage/journal/update.js';
import { textInBothFormats, type WireBytes } from '../../../streams/frames/wire-bytes.js';
import { frameLength, frameText } from '../../../streams/frames/frame.js';
import { updateRecord } from './record.js';

/** An entry as it goes over the wire, encoded once for all who get it. */
export interface RecentEntry {
  readonly position: number;
  readonly update: Update;
  readonly bytes: WireBytes;
  /** When it was stored, in milliseconds since 1970, where that is known. */
  readonly storedAt?: number | undefined;
}

/** Makes the events of a coming or going, as many as the record says, or fewer where this process can't make some. */
export type Expand = (entry: PresenceEntry) => Iterable<Update>;

/** Bytes that an entry takes besides its frame and its update. */
const OVERHEAD = 300;

/** Bytes that a chunk has besides its frame, at most. */
const CHUNK = 12;

/**
 * @param topics to be named in the frame.
 * @param namesTrace whether it names the trace that the update belongs to.
 */
export function encodeEntry(entry: Entry, topics: readonly string[] = [], namesTrace = false): RecentEntry {
  const { position, update } = entry;
  const { id, type, retry, data, traceparent } = update;
  // Field by field, because a copy of the update took longer than its text.
  const text = frameText({ id, type, retry, topics, trace: namesTrace ? traceparent : undefined, data });
  return { position, update, bytes: textInBothFormats(text) };
}

/** @param topics that its reader in the same process may be told. */
export function encodeRecord(entry: Entry, topics: readonly string[]): RecentEntry {
  const { position, update } = entry;
  return { position, update, bytes: updateRecord(entry, topics) };
}

/** An entry that is encoded when somebody wants it, because many entries are wanted by nobody who is there. */
export class LazyEntry implements RecentEntry {
  private encoded: WireBytes | undefined;

  constructor(private readonly entry: Entry) {}

  get position(): number {
    return this.entry.position;
  }

  get update(): Update {
    return this.entry.update;
  }

  get storedAt(): number | undefined {
    return this.entry.storedAt;
  }

  get bytes(): WireBytes {
    return (this.encoded ??= encodeEntry(this.entry).bytes);
  }

  /**
   * About how many bytes it takes once it is encoded.
   * @param length bytes of its frame.
   */
  weightOnceEncoded(length = frameLength(this.update)): number {
    return OVERHEAD + weightOfFrame(CHUNK + length) + weightOf(this.update);
  }
}

/** An entry that is read for one cohort alone, and so is encoded together with those that follow it there. */
export class UnsharedEntry implements RecentEntry {
  readonly position: number;
  readonly update: Update;

  constructor(private readonly entry: Entry) {
    this.position = entry.position;
    this.update = entry.update;
  }

  get storedAt(): number | undefined {
    return this.entry.storedAt;
  }

  /** Its frame, not encoded yet. */
  get text(): string {
    return frameText({ ...this.update, topics: [] });
  }

  get bytes(): WireBytes {
    return encodeEntry(this.entry).bytes;
  }
}

/**
 * A stream's coming or going. Its events are made each time that somebody looks at them, because they can take a hundred
 * times as much as the record, and in most hubs nobody does.
 */
export class RecentPresence {
  readonly position: number;

  constructor(
    private readonly entry: PresenceEntry,
    private readonly expand: Expand,
  ) {
    this.position = entry.position;
  }

  /** What the event at a position is known by here, if that is one of its own. Its readers get a cursor as its id. */
  idAt(position: number): string | undefined {
    const index = position - firstPositionOf(this.entry);
    return index < 0 || position > this.position ? undefined : eventIdOf(this.entry.record, index);
  }

  /** Its events after a position, in order. */
  *eventsAfter(after: number): Iterable<RecentEntry> {
    if (after >= this.position) return;
    let position = firstPositionOf(this.entry);
    for (const update of this.expand(this.entry)) {
      if (position > this.position) return;
      if (position > after) yield new LazyEntry({ position, update });
      position += 1;
    }
  }

  /** About how many bytes it takes. */
  get weight(): number {
    const { id, content } = this.entry.record;
    return OVERHEAD + weightOfText(id) + weightOfText(content);
  }
}

/** The id of what an entry has at a position. */
export function idOf(entry: RecentEntry | RecentPresence, position = entry.position): string | undefined {
  if (entry instanceof RecentPresence) return entry.idAt(position);
  return position === entry.position ? entry.update.id : undefined;
}

/**
 * Bytes that a frame takes. Node cuts short ones from slabs that they share with what was needed to make them, which is
 * twice as much, and stays for as long as they do.
 */
export function weightOfFrame(length: number): number {
  return length < Buffer.poolSize / 2 ? 3 * length : length;
}
