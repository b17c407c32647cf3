import process from 'node:process';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';

// Without this, connections that browsers keep open would hold up the end of the process.
const options = { forceCloseConnections: true };
const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), options);
// Streams end in order when the process is told to stop.
app.enableShutdownHooks();
await app.listen(Number(process.env['PORT'] ?? 3000));
console.log(`Open ${await app.getUrl()}`);
