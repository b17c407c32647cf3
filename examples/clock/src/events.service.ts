import { Injectable, type MessageEvent } from '@nestjs/common';
import { interval, map, type Observable } from 'rxjs';

@Injectable()
export class EventsService {
  /** The time, every second. */
  ticks(): Observable<MessageEvent> {
    return interval(1_000).pipe(map(() => ({ data: { time: new Date().toISOString() } })));
  }
}
