/**
 * The duties of `duties-server.ts` in the smallest Nest application on Fastify, with a guard and an exception filter: what it
 * costs is what a hub on Nest costs before anything is done for slow readers, for patterns or for memory. It takes no batches.
 */
import 'reflect-metadata';
import {
  type ArgumentsHost,
  BadRequestException,
  Body,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpCode,
  HttpException,
  Injectable,
  Module,
  Post,
  Req,
  Res,
  UnauthorizedException,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BODY, Duties, type Grants } from './duties.js';

const duties = new Duties(process.env['SECRET'] ?? '');

interface Granted extends FastifyRequest {
  grants?: Grants;
}

@Injectable()
export class Tokens implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Granted>();
    const grants = duties.grantsOf(request.headers.authorization);
    if (!grants) throw new UnauthorizedException();
    request.grants = grants;
    return true;
  }
}

@Catch()
export class Failures implements ExceptionFilter<unknown> {
  catch(error: unknown, host: ArgumentsHost): void {
    const status = error instanceof HttpException ? error.getStatus() : 500;
    void host.switchToHttp().getResponse<FastifyReply>().status(status).send(String(error));
  }
}

@Controller('hub')
@UseFilters(Failures)
export class HubController {
  @Get()
  subscribe(@Req() { raw }: FastifyRequest, @Res() reply: FastifyReply): void {
    reply.hijack();
    duties.streams.begin(raw, reply.raw, duties.log.position);
  }

  @Post()
  @UseGuards(Tokens)
  @HttpCode(200)
  publish(@Body() body: string, @Req() { grants }: Granted, @Res({ passthrough: true }) reply: FastifyReply): string {
    void reply.headers(duties.headersOf('text/plain; charset=utf-8'));
    if (!grants) throw new UnauthorizedException();
    try {
      return duties.publish(body, grants);
    } catch (error) {
      throw new BadRequestException(String(error));
    }
  }
}

@Controller('ready')
export class ReadyController {
  @Get()
  ready(): string {
    return 'ready';
  }
}

@Module({ controllers: [HubController, ReadyController] })
export class HubModule {}

const app = await NestFactory.create<NestFastifyApplication>(HubModule, new FastifyAdapter({ bodyLimit: BODY }), {
  logger: ['error', 'warn'],
  bodyParser: false,
});
app
  .getHttpAdapter()
  .getInstance()
  .addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, body),
  );
await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1', backlog: 4_096 });
