import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { ServeStaticModule } from '@nestjs/serve-static';
import { SseModule } from 'herald-nest';
import { EventsController } from './events.controller.js';
import { EventsService } from './events.service.js';

@Module({
  imports: [SseModule.forRoot(), ServeStaticModule.forRoot({ rootPath: join(import.meta.dirname, '../public') })],
  controllers: [EventsController],
  providers: [EventsService],
})
export class AppModule {}
