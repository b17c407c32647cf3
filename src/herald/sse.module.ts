import { type DynamicModule, Module, type NestModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { defaultConfig } from '../config/config.js';
import { HUB_PATH } from '../shared/hub-path.js';
import { Drain, DRAIN_OPTIONS } from '../streams/drain/drain.js';
import { STREAM_PATH } from '../streams/lane/lane-requests.js';
import { SSE_EXPLORER_OPTIONS, SseExplorer, type SseExplorerOptions } from '../streams/nest-sse/sse.explorer.js';
import { STREAM_OPTIONS, StreamRegistry } from '../streams/registry/stream-registry.js';
import { STREAM_PROVIDERS } from '../streams/stream.providers.js';
import type { HeraldStreamOptions } from './module/herald.options.js';

export interface SseModuleOptions extends HeraldStreamOptions {
  /** Which `@Sse()` handlers are managed: those marked with `@ManagedSse()`, which is the default, or all. */
  readonly handlers?: SseExplorerOptions['handlers'];
}

/**
 * Gives `@Sse()` handlers what a stream needs in production, without a hub: a random `retry:`, heartbeats, a maximum age, and
 * a clean end when the process stops. An application with a hub has all of this by `HeraldModule`.
 */
@Module({})
export class SseModule implements NestModule {
  /** @internal Nest calls it. */
  constructor(private readonly explorer: SseExplorer) {}

  /** What is left out is as the service has it without any environment variable; streams end at once with the process. */
  static forRoot({ handlers = 'marked', drain, ...options }: SseModuleOptions = {}): DynamicModule {
    const { drain: usual, ...defaults } = defaultConfig().streams;
    return {
      module: SseModule,
      imports: [DiscoveryModule],
      providers: [
        ...STREAM_PROVIDERS,
        { provide: STREAM_OPTIONS, useValue: { ...defaults, ...options } },
        { provide: DRAIN_OPTIONS, useValue: { ...usual, delay: 0, window: 0, ...drain } },
        { provide: STREAM_PATH, useValue: HUB_PATH },
        { provide: SSE_EXPLORER_OPTIONS, useValue: { handlers, hub: undefined } },
      ],
      exports: [StreamRegistry, Drain],
    };
  }

  /** The last of Nest's hooks that runs before the routes are made. */
  configure(): void {
    this.explorer.explore();
  }
}
