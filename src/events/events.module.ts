import { type DynamicModule, Module } from '@nestjs/common';
import { EventsController } from './events.controller.js';
import { EVENTS_INTERVAL, EventsService } from './events.service.js';

export interface EventsOptions {
  /** Milliseconds between two timestamps. */
  readonly interval: number;
}

@Module({})
export class EventsModule {
  static forRoot({ interval }: EventsOptions): DynamicModule {
    return {
      module: EventsModule,
      controllers: [EventsController],
      providers: [EventsService, { provide: EVENTS_INTERVAL, useValue: interval }],
      exports: [EventsService],
    };
  }
}
