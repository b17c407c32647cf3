import 'reflect-metadata';
import { Body, Controller, Get, HttpCode, type MessageEvent, Module, Param, Post, Sse } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Observable, Subject, filter, map } from 'rxjs';

interface Update {
  readonly topic: string;
  readonly data: string;
}

/** The classic example: one Subject that every stream listens to. Strings go out as they are, its cheapest form. */
@Controller()
export class TopicsController {
  private readonly updates = new Subject<Update>();

  @Get('ready')
  ready(): string {
    return 'ready';
  }

  @Sse('topics/:topic')
  stream(@Param('topic') topic: string): Observable<MessageEvent> {
    return this.updates.pipe(
      filter((update) => update.topic === topic),
      map(({ data }) => ({ data })),
    );
  }

  @Post('topics/:topic')
  @HttpCode(200)
  publish(@Param('topic') topic: string, @Body() data: string): string {
    this.updates.next({ topic, data });
    return 'published';
  }
}

@Module({ controllers: [TopicsController] })
export class TopicsModule {}

const app = await NestFactory.create(TopicsModule, new FastifyAdapter(), { logger: ['error', 'warn'] });
await app.listen(Number(process.env['PORT']), '127.0.0.1');
