import { type DynamicModule, Module } from '@nestjs/common';
import type { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { EventsModule } from './events/events.module.js';
import { HealthModule } from './operations/health.module.js';
import { servePage } from './server/page.js';
import { ServerModule } from './server/server.module.js';
import { SseModule } from './sse/sse.module.js';

/** Everything the service is made of. */
@Module({})
export class AppModule {
  static forRoot(config: Config): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        SseModule.forRoot(config.streams),
        EventsModule.forRoot(config.events),
        HealthModule,
        ServerModule,
        servePage(),
      ],
    };
  }
}
