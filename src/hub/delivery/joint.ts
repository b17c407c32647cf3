import { PIECE } from '../../streams/connections/write-queue.js';
import { Chunk, type WireBytes } from '../../streams/frames/wire-bytes.js';

/** The most bytes that are pushed to a live reader at once. One that is owed more catches up, in slices. */
const LARGEST_PUSH = 1024 ** 2;

/** Bytes for readers, and the position up to which a reader that takes them has been offered everything. */
export interface Offer {
  readonly position: number;
  readonly bytes: WireBytes;
  /** Undefined where it is no update. */
  readonly update?: unknown;
  /** When it was stored, in milliseconds since 1970, where that is known. */
  readonly storedAt?: number | undefined;
}

/** What is pending in a cohort up to the position `upTo`, for every cursor from `before` to `after`. */
export interface Joint {
  readonly before: number;
  readonly after: number;
  readonly upTo: number;
  /** In order, the last one up to `upTo`; undefined when they are more than one push may carry. */
  readonly parts: readonly Part[] | undefined;
}

/** Entries that are written at once: as many as fit into a piece, or a single larger one, whose bytes are shared. */
interface Part {
  /** The position of the last entry. */
  readonly upTo: number;
  readonly bytes: WireBytes;
  /** How many updates it has. */
  readonly updates: number;
}

/** Joins the pending entries from the index `first` on. */
export function joinFrom(pending: readonly Offer[], first: number, upTo: number): Joint {
  const entries = pending.slice(first);
  return {
    before: pending[first - 1]?.position ?? 0,
    after: (entries[0]?.position ?? upTo) - 1,
    upTo,
    parts: entries.length > 1 && sizeOf(entries) > LARGEST_PUSH ? undefined : partsOf(entries),
  };
}

function partsOf(entries: readonly Offer[]): Part[] {
  const [only] = entries;
  // The rule where each reader has a topic of its own.
  if (entries.length === 1 && only) return [{ upTo: only.position, bytes: only.bytes, updates: only.update ? 1 : 0 }];
  const parts: Part[] = [];
  let first = 0;
  let size = 0;
  entries.forEach(({ bytes }, index) => {
    const { length } = bytes.chunked;
    if (index > first && size + length > PIECE) {
      parts.push(partOf(entries.slice(first, index)));
      first = index;
      size = 0;
    }
    size += length;
  });
  parts.push(partOf(entries.slice(first)));
  return parts;
}

function partOf(entries: readonly Offer[]): Part {
  const updates = entries.reduce((sum, { update }) => sum + (update ? 1 : 0), 0);
  return { upTo: entries.at(-1)?.position ?? 0, bytes: join(entries.map(({ bytes }) => bytes)), updates };
}

function sizeOf(entries: readonly Offer[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes.chunked.length, 0);
}

/**
 * Several frames as the bytes of one write.
 * @param frames encoded, or as text.
 */
export function join(frames: readonly (WireBytes | string)[]): WireBytes {
  const [only] = frames;
  return frames.length === 1 && typeof only === 'object' ? only : new Joined(frames);
}

const LINE_END = '\r\n';

/** Makes one chunk of all, into which every frame is copied or encoded once. */
class Joined implements WireBytes {
  private made: WireBytes | undefined;

  constructor(private frames: readonly (WireBytes | string)[]) {}

  get plain(): Buffer {
    return (this.made ??= this.make()).plain;
  }

  get chunked(): Buffer {
    return (this.made ??= this.make()).chunked;
  }

  get length(): number {
    return (this.made ??= this.make()).length;
  }

  private make(): WireBytes {
    const length = this.frames.reduce((sum, frame) => sum + lengthOf(frame), 0);
    const head = `${length.toString(16)}${LINE_END}`;
    const chunked = Buffer.allocUnsafe(head.length + length + LINE_END.length);
    chunked.write(head, 'latin1');
    let end = head.length;
    for (const frame of this.frames) {
      if (typeof frame === 'string') end += chunked.write(frame, end);
      else {
        chunked.set(frame.plain, end);
        end += frame.length;
      }
    }
    chunked.write(LINE_END, end, 'latin1');
    this.frames = [];
    return new Chunk(chunked, length);
  }
}

/** Bytes of a frame. */
export function lengthOf(frame: WireBytes | string): number {
  return typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length;
}
