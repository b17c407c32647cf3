import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { AuthModule, type AuthModuleOptions } from './auth/auth.module.js';
import type { GrantsResolver } from './auth/grants-resolver.js';
import { HubModule, type HubModuleOptions } from './hub/hub.module.js';
import { SseModule } from './sse/sse.module.js';
import type { StreamOptions } from './sse/stream-registry.js';

export interface HeraldOptions {
  readonly streams: StreamOptions;
  readonly hub: HubModuleOptions;
  readonly auth: AuthModuleOptions;
  /** Finds out what callers may do, from whatever the application knows them by; by default from tokens. */
  readonly grantsResolver?: Type<GrantsResolver>;
}

/** The hub as a module of somebody's application: streams, who may, publish and subscribe. */
@Module({})
export class HeraldModule {
  static forRoot({ streams, hub, auth, grantsResolver }: HeraldOptions): DynamicModule {
    return {
      module: HeraldModule,
      imports: [
        SseModule.forRoot(streams),
        AuthModule.forRoot({ ...auth, ...(grantsResolver && { grantsResolver }) }),
        HubModule.forRoot(hub),
      ],
      exports: [HubModule],
    };
  }
}
