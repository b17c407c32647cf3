import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  BadRequestException,
  Body,
  type CallHandler,
  Controller,
  type ExecutionContext,
  Inject,
  Injectable,
  type MessageEvent,
  Module,
  type NestInterceptor,
  type PipeTransform,
  Post,
  Sse,
  UseGuards,
} from '@nestjs/common';
import { APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import compression from 'compression';
import helmet from 'helmet';
import { NEVER, type Observable, startWith, tap, timeout } from 'rxjs';
import {
  type Grants,
  GrantsOfRequest,
  GrantsResolver,
  HeraldModule,
  ManagedSse,
  type HeraldExtras,
  type HeraldOptions,
  type HubRequest,
  HubService,
  PublishGuard,
  type Role,
  SubscribeGuard,
} from '../../src/herald/index.js';

/** Requests as the application's resolver has seen them. */
export const seen: Pick<HubRequest, 'id' | 'ip' | 'method' | 'url'>[] = [];

@Injectable()
class SessionGrants extends GrantsResolver {
  resolve(request: HubRequest, role: Role): Grants | undefined {
    const { headers, id, ip, method, url } = request;
    seen.push({ id, ip, method, url });
    const subject = /(?:^|; )session=([^;]*)/.exec(headers.cookie ?? '')?.[1];
    if (subject === undefined) return undefined;
    return {
      subject,
      readKey: `user ${subject}`,
      canPublish: () => role === 'publisher' && subject === 'ann',
      canRead: () => true,
    };
  }
}

/** Checks what a parser has made of a body, as `ValidationPipe` does. */
@Injectable()
class TitlePipe implements PipeTransform {
  transform(value: unknown): unknown {
    const { title } = (value ?? {}) as { title?: unknown };
    if (typeof title === 'string') return value;
    throw new BadRequestException('title must be a string');
  }
}

/** Tells when an interceptor has lost patience. */
export const failures = new EventEmitter();

/** Fails after the handler, or before it is through, where it is asked to. */
@Injectable()
class FailingInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { headers } = context.switchToHttp().getRequest<HubRequest>();
    const late = tap(() => {
      if (headers['x-fail'] === 'late') throw new Error('on purpose');
    });
    if (headers['x-fail'] !== 'early') return next.handle().pipe(late);
    return next.handle().pipe(timeout(20), tap({ error: () => failures.emit('failed') }));
  }
}

/** Routes of the team's own. */
@Controller('orders')
class OrdersController {
  constructor(@Inject(HubService) private readonly hub: HubService) {}

  @Post()
  create(@Body(TitlePipe) { title }: { title: string }): object {
    return { title };
  }

  @Post('told')
  @UseGuards(PublishGuard)
  async tell(
    @Body() { topic, text }: { topic: string; text: string },
    @GrantsOfRequest() grants: Grants,
  ): Promise<string> {
    return this.hub.publish({ topics: [topic], data: text }, { grants });
  }

  @Sse('clock')
  @ManagedSse()
  @UseGuards(SubscribeGuard)
  clock(@GrantsOfRequest() { subject }: Grants): Observable<MessageEvent> {
    return NEVER.pipe(startWith({ data: `hello ${subject}` }));
  }
}

/** How each variant of the application is reached, and what it puts before the hub. */
export const VARIANTS = {
  'with nothing before it': { isSecure: false, middleware: [] },
  'over TLS': { isSecure: true, middleware: [] },
  'behind helmet and compression': { isSecure: false, middleware: [helmet(), compression({ threshold: 0 })] },
} as const;

export type Variant = keyof typeof VARIANTS;

/** An application on Nest's Express adapter, with the body parsers that it has by default, which listens. */
export async function startTeam(
  variant: Variant,
  options: Partial<HeraldOptions> = {},
): Promise<NestExpressApplication> {
  const hub: HeraldOptions & HeraldExtras = {
    hubUrl: new URL('https://team.example/.well-known/mercure'),
    grantsResolver: SessionGrants,
    ...options,
  };
  @Module({
    imports: [HeraldModule.forRoot(hub)],
    controllers: [OrdersController],
    providers: [{ provide: APP_INTERCEPTOR, useClass: FailingInterceptor }],
  })
  class TeamModule {}
  const { isSecure, middleware } = VARIANTS[variant];
  const app = await NestFactory.create<NestExpressApplication>(TeamModule, new ExpressAdapter(), {
    logger: false,
    ...(isSecure && { httpsOptions: { cert: certificate('first.crt'), key: certificate('first.key') } }),
  });
  app.set('trust proxy', 'loopback');
  for (const each of middleware) app.use(each);
  await app.listen(0, '127.0.0.1');
  return app;
}

function certificate(name: string): Buffer {
  return readFileSync(new URL(`certificates/${name}`, import.meta.url));
}

/** The server's side of the connection that comes next. */
export async function nextConnection(app: NestExpressApplication): Promise<NodeJS.Socket> {
  const [socket] = (await once(app.getHttpServer(), 'connection')) as [NodeJS.Socket];
  return socket;
}
