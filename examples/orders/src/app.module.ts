import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Module } from '@nestjs/common';
import { ServeStaticModule } from '@nestjs/serve-static';
import { HeraldModule, SubscribeGuard } from 'herald-nest';
import { CustomerGrants } from './customer-grants.js';
import { LoggedIn } from './logged-in.guard.js';
import { OrdersController } from './orders.controller.js';
import { SessionsModule } from './sessions.module.js';
import { ORIGIN } from './topics.js';

/** The files of the client library, which the page imports as they are. */
const CLIENT = dirname(fileURLToPath(import.meta.resolve('herald-hub-client')));

@Module({
  imports: [
    SessionsModule,
    HeraldModule.forRoot({
      hubUrl: `${ORIGIN}/.well-known/mercure`,
      hub: { journal: 'memory:' },
      imports: [SessionsModule],
      grantsResolver: CustomerGrants,
      guards: { subscribe: [LoggedIn, SubscribeGuard] },
    }),
    ServeStaticModule.forRoot(
      { rootPath: CLIENT, serveRoot: '/herald' },
      { rootPath: join(import.meta.dirname, '../public') },
    ),
  ],
  controllers: [OrdersController],
})
export class AppModule {}
