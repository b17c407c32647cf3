import { type DynamicModule, Module, type NestModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Drain, DRAIN_OPTIONS, type DrainOptions } from '../drain/drain.js';
import { LaneRequests } from '../lane/lane-requests.js';
import { SseExplorer } from './sse.explorer.js';
import { STREAM_OPTIONS, StreamRegistry, type StreamOptions } from '../registry/stream-registry.js';

/** How streams are, and how they are let go before the end of the process. */
export interface SseOptions extends StreamOptions {
  /** Default: all at once, without a wait. */
  readonly drain?: DrainOptions;
}

const AT_ONCE: DrainOptions = { delay: 0, window: 0, isAlone: false };

/**
 * Gives every `@Sse()` handler of the application, whichever module it is in, what a stream needs in production:
 * a random `retry:`, heartbeats, a maximum age, and a clean end when the process stops.
 */
@Module({})
export class SseModule implements NestModule {
  constructor(private readonly explorer: SseExplorer) {}

  static forRoot({ drain = AT_ONCE, ...options }: SseOptions): DynamicModule {
    return {
      module: SseModule,
      global: true,
      imports: [DiscoveryModule],
      providers: [
        SseExplorer,
        LaneRequests,
        StreamRegistry,
        Drain,
        { provide: STREAM_OPTIONS, useValue: options },
        { provide: DRAIN_OPTIONS, useValue: drain },
      ],
      exports: [StreamRegistry, Drain],
    };
  }

  /** The last of Nest's hooks that runs before the routes are made. */
  configure(): void {
    this.explorer.explore();
  }
}
