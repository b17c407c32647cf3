import type { Journal } from '../../storage/journal/journal.js';
import { Queue } from '../../shared/queue.js';
import type { OutstandingBytes } from '../../streams/registry/outstanding-bytes.js';
import type { Background } from './background.js';
import type { FanOut } from './fan-out.js';
import type { Reader } from './reader.js';
import type { Slice, Slices } from './slices.js';

/**
 * Sockets that have been filled and not yet drained, beyond which nobody else's is filled, because Node writes what a
 * socket did not take at once as soon as it does, whatever else this turn has to do. With a thousand readers that come
 * back together, the bound also takes a seventh of the CPU off each replayed event.
 */
const MAX_FILLED = 32;

/** Milliseconds after which a socket that is still full counts as a slow reader's, and no longer in the way of others. */
const FILLED = 20;

/** Slices that are read from the journal side by side, each for a reader that is written to as soon as it is there. */
const MAX_READING = 64;

/** Milliseconds until a read that failed is tried again. */
const RETRY_AFTER = 250;

/**
 * Brings readers that are behind forward, slice by slice, in the order in which they came. Where there is no room for
 * more, all wait in one lane, which goes on for as long as there is room again: so a reader that turns out to need nothing
 * takes nobody's turn away.
 */
export class CatchUp {
  private readonly lane = new Queue<Reader>();
  private readonly filled = new Map<Reader, NodeJS.Timeout>();
  private reading = 0;
  private isScheduled = false;

  constructor(
    private readonly journal: Journal,
    private readonly fanOut: FanOut,
    private readonly slices: Slices,
    private readonly background: Background,
    private readonly outstanding: OutstandingBytes,
  ) {
    outstanding.onRoom(() => this.schedule());
  }

  /** Takes on a reader that is behind and whose socket has room, until it calls the reader's `leaveCatchUp`. */
  add(reader: Reader): void {
    this.background.add(() => this.advance(reader));
  }

  /** The socket of this reader is not in the way of others any more. */
  release(reader: Reader): void {
    const timer = this.filled.get(reader);
    if (!timer) return;
    clearTimeout(timer);
    this.filled.delete(reader);
    this.schedule();
  }

  private get hasRoom(): boolean {
    return this.filled.size < MAX_FILLED && this.reading < MAX_READING && !this.outstanding.isExhausted;
  }

  /** Lets those that wait in the lane go on, one after the other, for as long as there is room. */
  private schedule(): void {
    if (this.isScheduled || this.lane.length === 0 || !this.hasRoom) return;
    this.isScheduled = true;
    this.background.add(() => {
      this.isScheduled = false;
      const reader = this.lane.shift();
      if (reader) this.advance(reader);
      this.schedule();
    });
  }

  /** One step: the next slice, or none where nothing is owed. */
  private advance(reader: Reader): void {
    if (!this.hasRoom) {
      this.lane.push(reader);
      return;
    }
    if (reader.state !== 'behind' || reader.connection.isFull) return reader.leaveCatchUp();
    if (reader.isOutdated) reader.goBack();
    if (reader.cursor + 1 < this.journal.oldest) reader.skip(this.journal.oldest);
    if (reader.hasEverything) return reader.leaveCatchUp();
    const { history } = this.fanOut;
    const slice = this.slices.after({ cursor: reader.cursor, history }, reader.cohort, this.fanOut.head);
    if (slice instanceof Promise) void this.writeOnceRead(slice, reader, history);
    else this.write(reader, slice);
  }

  private async writeOnceRead(slice: Promise<Slice>, reader: Reader, history: number): Promise<void> {
    this.reading += 1;
    try {
      const ready = await slice;
      // It may have been read from a log that is gone.
      this.background.add(() => (history === this.fanOut.history ? this.write(reader, ready) : reader.leaveCatchUp()));
    } catch {
      // The engine is away: the reader stays, and is caught up when it is back.
      setTimeout(() => reader.leaveCatchUp(), RETRY_AFTER).unref();
    } finally {
      this.reading -= 1;
      this.schedule();
    }
  }

  private write(reader: Reader, slice: Slice): void {
    if (reader.state !== 'behind') return reader.leaveCatchUp();
    if (reader.takeSlice(slice)) {
      // It keeps its turn for as long as its socket takes more, and others get theirs in between: the kernel fills one
      // socket after the other for less than all of them bit by bit.
      this.add(reader);
      return;
    }
    this.filled.set(reader, setTimeout(() => this.release(reader), FILLED).unref());
    reader.leaveCatchUp();
  }
}
