import { Controller, type MessageEvent, Sse } from '@nestjs/common';
import { ManagedSse } from 'herald-nest';
import type { Observable } from 'rxjs';
import { EventsService } from './events.service.js';

@Controller()
export class EventsController {
  constructor(private readonly events: EventsService) {}

  /** `@ManagedSse()` adds a random delay for reconnecting, heartbeats, a maximum age, and an orderly end. */
  @Sse('events')
  @ManagedSse()
  stream(): Observable<MessageEvent> {
    return this.events.ticks();
  }
}
