import process from 'node:process';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ServeStaticModule } from '@nestjs/serve-static';
import { HeraldFilesModule } from '../../../src/herald/files/index.js';

/*
 * An application with a page of its own beside Herald's files. Its arguments name the framework and the folder of the page,
 * and say whether that page is for all paths that are unknown.
 */

const [framework = '', rootPath = '', fallback = ''] = process.argv.slice(2);

@Module({
  imports: [
    ServeStaticModule.forRoot({ rootPath, serveStaticOptions: { fallthrough: fallback === 'fallback' } }),
    HeraldFilesModule.forRoot(),
  ],
})
class TeamModule {}

const app = await NestFactory.create(
  TeamModule,
  framework === 'Express' ? new ExpressAdapter() : new FastifyAdapter(),
  { logger: ['error'], forceCloseConnections: true },
);
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
console.log(`Herald is at ${await app.getUrl()}`);
