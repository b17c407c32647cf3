import { Inject, Injectable, type MessageEvent } from '@nestjs/common';
import { concat, defer, interval, map, type Observable, of, share } from 'rxjs';

/** The injection token of the period between two timestamps, in milliseconds. */
export const EVENTS_INTERVAL = Symbol('events interval');

/** The service's clock: a stream of the server's time. */
@Injectable()
export class EventsService {
  private readonly ticks: Observable<MessageEvent>;

  constructor(@Inject(EVENTS_INTERVAL) period = 2_000) {
    // Shared: one interval serves every connection, and it stops when the last one leaves.
    this.ticks = interval(period).pipe(map(timestamp), share());
  }

  /** The time now, and again at every tick for as long as somebody listens. */
  timestamps(): Observable<MessageEvent> {
    return concat(
      defer(() => of(timestamp())),
      this.ticks,
    );
  }
}

function timestamp(): MessageEvent {
  return { data: { timestamp: new Date().toISOString() } };
}
