import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Module } from '@nestjs/common';
import { ServeStaticModule } from '@nestjs/serve-static';
import { HeraldModule } from 'herald-nest';
import { AnswersController } from './answers.controller.js';
import { AnswersService } from './answers.service.js';

/** The files of the client library, which the page imports as they are. */
const CLIENT = dirname(fileURLToPath(import.meta.resolve('herald-hub-client')));

const ORIGIN = process.env['ORIGIN'] ?? 'http://localhost:3000';

@Module({
  imports: [
    // Whoever knows the topic of an answer may read it, as nobody can guess it.
    HeraldModule.forRoot({ hubUrl: `${ORIGIN}/.well-known/mercure`, auth: { anonymous: true } }),
    ServeStaticModule.forRoot(
      { rootPath: CLIENT, serveRoot: '/herald' },
      { rootPath: join(import.meta.dirname, '../public') },
    ),
  ],
  controllers: [AnswersController],
  providers: [AnswersService],
})
export class AppModule {}
