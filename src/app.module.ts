import { type DynamicModule, Module } from '@nestjs/common';
import type { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { AuthModule } from './auth/auth.module.js';
import { EventsModule } from './events/events.module.js';
import { HubModule } from './hub/hub.module.js';
import { HealthModule } from './operations/health.module.js';
import { servePage } from './server/page.js';
import { ServerModule } from './server/server.module.js';
import { SseModule } from './sse/sse.module.js';

/** Everything the service is made of. */
@Module({})
export class AppModule {
  static forRoot(config: Config): DynamicModule {
    const hubUrl = new URL(config.hub.hubUrl);
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        SseModule.forRoot(config.streams),
        EventsModule.forRoot(config.events),
        AuthModule.forRoot({ ...config.auth, hubUrl }),
        HubModule.forRoot({ ...config.hub, hubUrl }),
        HealthModule,
        ServerModule,
        servePage(),
      ],
    };
  }
}
