import { join } from 'node:path';
import process from 'node:process';
import { Module } from '@nestjs/common';
import { ServeStaticModule } from '@nestjs/serve-static';
import { HeraldModule } from 'herald-nest';
import { MachinesService } from './machines.service.js';

const ORIGIN = process.env['ORIGIN'] ?? 'http://localhost:3000';

@Module({
  imports: [
    HeraldModule.forRoot({ hubUrl: `${ORIGIN}/.well-known/mercure`, auth: { anonymous: true } }),
    ServeStaticModule.forRoot({ rootPath: join(import.meta.dirname, '../public') }),
  ],
  providers: [MachinesService],
})
export class AppModule {}
