import { isSampled } from '../../../shared/trace/trace-context.js';
import type { Span, Tracer } from '../../../shared/trace/tracer.js';
import type { Entry } from '../../../storage/journal/journal.js';

/** Updates on their way that are traced at a time. They are on it for a turn of the event loop, or a few. */
const MOST = 1_000;

/** An update on its way to the sockets of live readers. */
interface Way {
  readonly span: Span;
  readonly id: string;
  /** Whether all cohorts have been found that want it. */
  isMatched: boolean;
  /** Cohorts that want it, and how many of them have not offered it yet. */
  cohorts: number;
  owed: number;
  deliveries: number;
}

/**
 * The spans of updates whose traces are sampled: from when an update arrives in this process until the last live reader's
 * socket had it. Nobody waits here for readers that catch up, or that get the newest of each topic at intervals.
 */
export class FanOutTraces {
  /** By their positions, the oldest first. */
  private readonly ways = new Map<number, Way>();

  constructor(private readonly tracer: Tracer) {}

  /** An update has come, and it is about to be found out who wants it. */
  arrived({ position, update }: Entry): void {
    const { traceparent, id } = update;
    if (traceparent === undefined || !isSampled({ traceparent })) return;
    if (this.ways.size >= MOST) return this.tracer.drop();
    const span = this.tracer.begin({ name: 'fan-out', parent: { traceparent } });
    if (span) this.ways.set(position, { span, id, isMatched: false, cohorts: 0, owed: 0, deliveries: 0 });
  }

  /** A cohort wants it, and will offer it to its live readers. */
  owed(position: number): void {
    const way = this.ways.get(position);
    if (!way) return;
    way.cohorts += 1;
    way.owed += 1;
  }

  /** A cohort has offered it to so many of them, or to none, and will not do so again. */
  offered(position: number, readers: number): void {
    const way = this.ways.get(position);
    if (!way) return;
    way.owed -= 1;
    way.deliveries += readers;
    this.look(position, way);
  }

  /** All cohorts have been found that want what came up to this position. */
  matchedUpTo(upTo: number): void {
    for (const [position, way] of this.ways) {
      if (position > upTo) return;
      way.isMatched = true;
      this.look(position, way);
    }
  }

  /** The log goes on from elsewhere, or no further: what is on its way is left to those who read on from the log. */
  endAll(): void {
    for (const [position, way] of this.ways) this.end(position, way);
  }

  private look(position: number, way: Way): void {
    if (way.isMatched && way.owed === 0) this.end(position, way);
  }

  private end(position: number, { span, id, cohorts, deliveries }: Way): void {
    this.ways.delete(position);
    span.end({ 'messaging.message.id': id, 'herald.cohorts': cohorts, 'herald.deliveries': deliveries });
  }
}
