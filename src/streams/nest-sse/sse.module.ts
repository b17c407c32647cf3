import { type DynamicModule, Module, type NestModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { LaneRequests } from '../lane/lane-requests.js';
import { SseExplorer } from './sse.explorer.js';
import { STREAM_OPTIONS, StreamRegistry, type StreamOptions } from '../registry/stream-registry.js';

/**
 * Gives every `@Sse()` handler of the application, whichever module it is in, what a stream needs in production:
 * a random `retry:`, heartbeats, a maximum age, and a clean end when the process stops.
 */
@Module({})
export class SseModule implements NestModule {
  constructor(private readonly explorer: SseExplorer) {}

  static forRoot(options: StreamOptions): DynamicModule {
    return {
      module: SseModule,
      global: true,
      imports: [DiscoveryModule],
      providers: [SseExplorer, LaneRequests, StreamRegistry, { provide: STREAM_OPTIONS, useValue: options }],
      exports: [StreamRegistry],
    };
  }

  /** The last of Nest's hooks that runs before the routes are made. */
  configure(): void {
    this.explorer.explore();
  }
}
