import { Controller, type MessageEvent, Sse } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { EventsService } from './events.service.js';

/** The classic example of Server-Sent Events in Nest: `curl -N http://localhost:8080/events`. */
@Controller()
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Sse('events')
  stream(): Observable<MessageEvent> {
    return this.events.timestamps();
  }
}
