import type { Journal } from '../../storage/journal/journal.js';
import { Queue } from '../../shared/queue.js';
import type { OutstandingBytes } from '../../streams/registry/outstanding-bytes.js';
import type { Background } from '../../shared/background.js';
import type { FanOut } from './fan-out.js';
import type { Reader } from './reader.js';
import type { Slice, Slices } from './slices.js';

/**
 * Sockets that may be filled and not yet drained at a time. They are few because Node writes the rest to a socket as
 * soon as that takes more, before anything else in that turn. With a thousand readers that come back together, the
 * bound also saves a seventh of the CPU for each replayed event.
 */
const MAX_FILLED = 32;

/** Milliseconds after which a socket that is still full counts as a slow reader's, and makes room for another one. */
const FILLED = 20;

/** Slices that are read from the journal at a time, each for a reader that gets it as soon as it has been read. */
const MAX_READING = 64;

/** Milliseconds until a read that failed is tried again. */
const RETRY_AFTER = 250;

/**
 * Brings readers that are behind forward, slice by slice, in the order in which they came. Where there is no room for
 * more, all wait in one lane, which goes on for as long as there is room again. So a reader that turns out to need
 * nothing takes nobody's turn away.
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

  /** The socket of this reader no longer takes room from others: it has drained, is gone, or counts as slow. */
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
    if (reader.next < this.journal.oldest) reader.skip(this.journal.oldest);
    if (reader.hasEverything) return reader.leaveCatchUp();
    const { history } = this.fanOut;
    const { cursor, plan, cohort, horizon } = reader;
    const slice = this.slices.after({ cursor, history, plan }, cohort, horizon);
    if (slice instanceof Promise) void this.writeOnceRead(slice, reader, history);
    else this.write(reader, slice);
  }

  private async writeOnceRead(slice: Promise<Slice>, reader: Reader, history: number): Promise<void> {
    this.reading += 1;
    try {
      const ready = await slice;
      // The slice may have been read from an older history of the log.
      this.background.add(() => (history === this.fanOut.history ? this.write(reader, ready) : reader.leaveCatchUp()));
    } catch {
      // The journal can't be read now: the reader stays behind, and is caught up when the journal is back.
      setTimeout(() => reader.leaveCatchUp(), RETRY_AFTER).unref();
    } finally {
      this.reading -= 1;
      this.schedule();
    }
  }

  private write(reader: Reader, slice: Slice): void {
    if (reader.state !== 'behind') return reader.leaveCatchUp();
    if (reader.takeSlice(slice)) {
      // The reader goes on for as long as its socket takes more, while others get their turns in between: it costs the
      // kernel less to fill one socket after the other than to fill all of them bit by bit.
      this.add(reader);
      return;
    }
    this.filled.set(reader, setTimeout(() => this.release(reader), FILLED).unref());
    reader.leaveCatchUp();
  }
}
