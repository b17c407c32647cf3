import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { DeveloperModule } from './developer/developer.module.js';
import { hasMadeUpKeys } from './developer/developer-tokens.js';
import { guardController } from './guard-controller.js';
import type { Config } from '../config/config.js';
import { ConfigModule } from '../config/config.module.js';
import { EventsController } from '../events/events.controller.js';
import { EventsModule } from '../events/events.module.js';
import { HeraldFilesModule } from '../herald/files/index.js';
import { HeraldModule, SubscribeGuard } from '../herald/index.js';
import type { Tracer } from '../shared/trace/tracer.js';
import { AdminModule } from './admin/admin.module.js';
import { DocsModule } from './docs/docs.module.js';
import { HealthModule } from './health/health.module.js';
import { InternalModule } from './internal/internal.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { OpenApiModule } from './openapi/openapi.module.js';
import { ServerModule } from './server.module.js';

/** Everything the service is made of. */
@Module({})
export class AppModule {
  /** @param tracer tells of what the hub does. Default: nothing is traced. */
  static forRoot(config: Config, signal?: AbortSignal, tracer?: Tracer): DynamicModule {
    const { hubUrl, ...given } = config.hub;
    const hub = { ...given, journal: { ...given.journal, signal }, tracer };
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        HeraldModule.forRoot({
          hubUrl,
          streams: config.streams,
          hub,
          auth: config.auth,
          isGlobal: true,
          sse: 'all',
        }),
        EventsModule.forRoot(config.events),
        AdminModule,
        ...(hasMadeUpKeys({ production: config.production, madeUp: config.auth.madeUp }) ? [DeveloperModule] : []),
        HealthModule,
        InternalModule,
        MetricsModule,
        OpenApiModule,
        ...(config.production ? [] : [DocsModule.forRoot()]),
        ServerModule,
        HeraldFilesModule.forService(),
      ],
      providers: config.auth.protectEvents
        ? [
            {
              provide: APP_GUARD,
              inject: [SubscribeGuard],
              useFactory: (guard: SubscribeGuard) => guardController(EventsController, guard),
            },
          ]
        : [],
    };
  }
}
