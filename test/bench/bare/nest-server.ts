/**
 * The same hub as `bare-server.ts` in the smallest Nest application on Fastify that has a guard and an exception filter: what
 * it costs beyond bare Node is what the framework costs.
 */
import 'reflect-metadata';
import {
  type ArgumentsHost,
  Body,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpCode,
  Injectable,
  Module,
  Param,
  Post,
  Req,
  Res,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import type { CanActivate } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { topicOf } from './topics.js';

@Injectable()
export class Everybody implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Catch()
export class Failures implements ExceptionFilter<unknown> {
  catch(_error: unknown, host: ArgumentsHost): void {
    void host.switchToHttp().getResponse<FastifyReply>().status(500).send('failed');
  }
}

@Controller('topics/:topic')
@UseGuards(Everybody)
@UseFilters(Failures)
export class TopicsController {
  @Get()
  subscribe(@Param('topic') topic: string, @Req() { raw }: FastifyRequest, @Res() reply: FastifyReply): void {
    reply.hijack();
    topicOf(topic).subscribe(raw, reply.raw);
  }

  @Post()
  @HttpCode(200)
  publish(
    @Param('topic') topic: string,
    @Body() data: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): string {
    void reply.header('content-type', 'text/plain; charset=utf-8').header('cache-control', 'private');
    return topicOf(topic).add(data);
  }
}

@Controller('ready')
export class ReadyController {
  @Get()
  ready(): string {
    return 'ready';
  }
}

@Module({ controllers: [TopicsController, ReadyController] })
export class TopicsModule {}

const app = await NestFactory.create<NestFastifyApplication>(TopicsModule, new FastifyAdapter(), {
  logger: ['error', 'warn'],
});
await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1', backlog: 4_096 });
