import type { Entry } from '../../storage/journal/journal.js';
import { Queue } from '../../shared/queue.js';
import { type Update, weightOf } from '../../storage/journal/update.js';
import { inBothFormats, type WireBytes } from '../../streams/frames/wire-bytes.js';
import { encodeFrame } from '../../streams/frames/frame.js';

/** An entry as it goes over the wire, encoded once for all who get it. */
export interface RecentEntry {
  readonly position: number;
  readonly update: Update;
  readonly bytes: WireBytes;
}

/** Bytes that an entry takes besides its frame and its update. */
const OVERHEAD = 300;

/** The newest entries of the journal, encoded: as many as fit into a number of bytes. */
export class RecentLog {
  private readonly entries = new Queue<RecentEntry>();
  private held = 0;
  private newest: number;
  /** The id of the entry at `newest`, where it is known although the entry is not held here. */
  private newestId: string | undefined;

  /**
   * @param limit in bytes. The newest entry is held whatever its size.
   * @param head the position after which the log begins.
   */
  constructor(
    private readonly limit: number,
    head: number,
  ) {
    this.newest = head;
  }

  /** The position of the newest entry. */
  get head(): number {
    return this.newest;
  }

  /** The position of the oldest entry; `head + 1` when there is none. */
  get oldest(): number {
    return this.newest - this.entries.length + 1;
  }

  get bytes(): number {
    return this.held;
  }

  /** Takes the entry that follows `head`. */
  push(entry: Entry): RecentEntry {
    const recent = encodeEntry(entry);
    this.entries.push(recent);
    this.newest = entry.position;
    this.newestId = entry.update.id;
    this.held += sizeOf(recent);
    while (this.held > this.limit && this.entries.length > 1) {
      const oldest = this.entries.shift();
      if (oldest) this.held -= sizeOf(oldest);
    }
    return recent;
  }

  /** Lets go of everything: the next entry is the one after `head`. */
  restart(head: number): void {
    this.newestId = this.idAt(head);
    while (this.entries.shift());
    this.held = 0;
    this.newest = head;
  }

  /** The id of the entry at `position`, if that is held. */
  idAt(position: number): string | undefined {
    return this.at(position)?.update.id ?? (position === this.newest ? this.newestId : undefined);
  }

  /** The entry at `position`, if it is held. */
  at(position: number): RecentEntry | undefined {
    return this.entries.at(position - this.oldest);
  }
}

/** @param topics to be named in the frame. */
export function encodeEntry({ position, update }: Entry, topics: readonly string[] = []): RecentEntry {
  return { position, update, bytes: inBothFormats(encodeFrame({ ...update, topics })) };
}

/**
 * Bytes that a frame takes. Node cuts short ones from slabs that they share with what was needed to make them, which is
 * twice as much, and stays for as long as they do.
 */
export function weightOfFrame(length: number): number {
  return length < Buffer.poolSize / 2 ? 3 * length : length;
}

function sizeOf({ update, bytes }: RecentEntry): number {
  return OVERHEAD + weightOfFrame(bytes.chunked.length) + weightOf(update);
}
