import process from 'node:process';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

// On Express, which is Nest's default. Without this option, connections that browsers keep open would hold up the end.
const app = await NestFactory.create(AppModule, { forceCloseConnections: true });
// Streams end in order when the process is told to stop.
app.enableShutdownHooks();
await app.listen(Number(process.env['PORT'] ?? 3000));
console.log(`Open ${await app.getUrl()}`);
