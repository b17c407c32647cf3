import { percentile } from '../statistics.js';
import { nowMicroseconds } from './payload.js';

/** What is looked at besides the count: nothing, the order of every reader's events, or how late they came. */
export type Watch = 'count' | 'order' | 'latency';

export interface WatchOptions {
  readonly watch: Watch;
  /** How many readers there are or will be, and how many publishers there are at most. */
  readonly readers: number;
  readonly publishers: number;
  /** Latencies of every reader whose index is divisible by this are left out; 0 leaves none out. */
  readonly ignoreEvery: number;
}

/** What the readers of a watch for order saw. */
export interface OrderFindings {
  /** Events that were not the next one of their publisher: lost, doubled or out of order. */
  readonly violations: number;
  /** How many different total orders the readers saw; 1 when all agree. */
  readonly orders: number;
}

/** Milliseconds from just before the publish request was written until a reader had read the event. */
export interface LatencyFindings {
  readonly samples: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** The bound on kept latencies: 2,000 readers × 20 events a second × 50 seconds. */
const MAX_SAMPLES = 2_000_000;

/** Counts what all readers receive from one reset to the next. Event numbers are `sequence × publishers + publisher`. */
export class Tally {
  received = 0;
  notices = 0;
  private options: WatchOptions = { watch: 'count', readers: 0, publishers: 1, ignoreEvery: 0 };
  private violations = 0;
  private next = new Float64Array(0);
  private orderHashes = new Int32Array(0);
  private latencies = new Float64Array(0);
  private samples = 0;

  /** Starts anew; the next event of each publisher must be its number 0. */
  reset(options: WatchOptions): void {
    const { watch, readers, publishers } = options;
    this.options = options;
    this.received = 0;
    this.notices = 0;
    this.violations = 0;
    this.samples = 0;
    this.next = new Float64Array(watch === 'order' ? readers * publishers : 0);
    this.orderHashes = new Int32Array(watch === 'order' ? readers : 0);
    this.latencies = new Float64Array(watch === 'latency' ? MAX_SAMPLES : 0);
  }

  /** One event read by one reader. */
  event(reader: number, eventNumber: number, microseconds: number): void {
    this.received += 1;
    if (this.options.watch === 'order') {
      this.checkOrder(reader, eventNumber);
    } else if (this.options.watch === 'latency') {
      this.takeLatency(reader, microseconds);
    }
  }

  /** Readers that saw the same events in the same order have the same hash. */
  orderFindings(): OrderFindings {
    return { violations: this.violations, orders: new Set(this.orderHashes).size };
  }

  latencyFindings(): LatencyFindings {
    const sorted = this.latencies.subarray(0, this.samples).toSorted();
    const at = (fraction: number): number => percentile(sorted, fraction) / 1000;
    return { samples: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  }

  private takeLatency(reader: number, microseconds: number): void {
    const { ignoreEvery } = this.options;
    if (this.samples === MAX_SAMPLES || (ignoreEvery > 0 && reader % ignoreEvery === 0)) return;
    this.latencies[this.samples] = nowMicroseconds() - microseconds;
    this.samples += 1;
  }

  private checkOrder(reader: number, eventNumber: number): void {
    const publisher = eventNumber % this.options.publishers;
    const sequence = (eventNumber - publisher) / this.options.publishers;
    const slot = reader * this.options.publishers + publisher;
    if (sequence !== this.next[slot]) this.violations += 1;
    this.next[slot] = sequence + 1;
    this.orderHashes[reader] = Math.imul(this.orderHashes[reader] ?? 0, 31) + eventNumber;
  }
}
