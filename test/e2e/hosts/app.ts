import { AsyncLocalStorage } from 'node:async_hooks';
import process from 'node:process';
import {
  type ArgumentsHost,
  Body,
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  Get,
  HttpException,
  type INestApplication,
  Injectable,
  Module,
  type ModuleMetadata,
  type NestInterceptor,
  NotFoundException,
  Post,
  ValidationPipe,
  VersioningType,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, HttpAdapterHost, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { IsString } from 'class-validator';
import { ClsModule } from 'nestjs-cls';
import { map, type Observable } from 'rxjs';
import { type Grants, GrantsResolver, HeraldModule } from '../../../src/herald/index.js';

/*
 * An application with a hub, and with what its first two arguments name: the framework, and something that teams put on all of
 * their routes. The third one is where it is for its clients.
 */

const [framework = '', own = '', at = 'https://team.example'] = process.argv.slice(2);

/** Whoever brings a name in the header `x-user` may do everything. */
@Injectable()
class NamedUsers extends GrantsResolver {
  resolve({ headers }: { readonly headers: NodeJS.Dict<string | string[]> }): Grants | undefined {
    const name = headers['x-user'];
    if (typeof name !== 'string') return undefined;
    return { subject: name, readKey: name, canPublish: () => true, canRead: () => true };
  }
}

const hub = HeraldModule.forRoot({
  hubUrl: `${at}/.well-known/mercure`,
  grantsResolver: NamedUsers,
  hub: { subscriptions: { enabled: true, grace: 0 } },
});

class NewBook {
  @IsString()
  readonly title!: string;
}

@Controller('books')
class BooksController {
  @Post()
  add(@Body() book: NewBook): unknown {
    return { added: book.title };
  }

  @Get('none')
  none(): never {
    throw new NotFoundException('no such book');
  }
}

/** As every second team has one. */
@Injectable()
class Wrapping implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

/** The one of Nest's own documentation. */
@Catch()
class CatchAll implements ExceptionFilter {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const status = exception instanceof HttpException ? exception.getStatus() : 500;
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), { caught: status }, status);
  }
}

const seen = new AsyncLocalStorage<string>();

@Injectable()
class Seeing implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

interface Host extends ModuleMetadata {
  readonly configure?: (app: INestApplication, adapter: string) => unknown;
}

const HOSTS: Readonly<Record<string, Host>> = {
  'nothing else': {},
  'a wrapping interceptor': {
    providers: [{ provide: APP_INTERCEPTOR, useClass: Wrapping }],
  },
  'a wrapping interceptor by useGlobalInterceptors': {
    configure: (app) => app.useGlobalInterceptors(new Wrapping()),
  },
  'a catch-all filter': {
    providers: [{ provide: APP_FILTER, useClass: CatchAll }],
  },
  'a catch-all filter by useGlobalFilters': {
    configure: (app) => app.useGlobalFilters(new CatchAll(app.get(HttpAdapterHost))),
  },
  'a validation pipe': {
    providers: [
      {
        provide: APP_PIPE,
        useValue: new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }),
      },
    ],
  },
  'a throttler': {
    imports: [ThrottlerModule.forRoot([{ ttl: 60_000, limit: 100 }])],
    providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
  },
  'a global guard': { providers: [{ provide: APP_GUARD, useClass: Seeing }] },
  versions: {
    configure: (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
  },
  'versions in a header': {
    configure: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version', defaultVersion: '1' }),
  },
  'a global prefix': { configure: (app) => app.setGlobalPrefix('api') },
  'a global prefix that leaves out a route': {
    configure: (app) => app.setGlobalPrefix('api', { exclude: ['health'] }),
  },
  CLS: { imports: [ClsModule.forRoot({ global: true, middleware: { mount: true } })] },
  'an asynchronous context of its own': {
    configure: (app) => app.use((_request: unknown, _response: unknown, next: () => void) => seen.run('here', next)),
  },
  compression: {
    configure: async (app, adapter) => {
      if (adapter === 'Fastify') {
        const { default: compress } = await import('@fastify/compress');
        await (app as unknown as { register(plugin: unknown, options?: object): Promise<void> }).register(compress, {
          threshold: 0,
        });
      } else {
        const { default: compress } = await import('compression');
        app.use(compress({ threshold: 0 }));
      }
    },
  },
  helmet: {
    configure: async (app, adapter) => {
      if (adapter === 'Fastify') {
        const { default: helmet } = await import('@fastify/helmet');
        await (app as unknown as { register(plugin: unknown): Promise<void> }).register(helmet);
      } else {
        const { default: helmet } = await import('helmet');
        app.use(helmet());
      }
    },
  },
};

const { configure, ...module } = HOSTS[own] ?? {};

@Module({ ...module, imports: [hub, ...(module.imports ?? [])], controllers: [BooksController] })
class TeamModule {}

const app = await NestFactory.create(
  TeamModule,
  framework === 'Express' ? new ExpressAdapter() : new FastifyAdapter(),
  {
    logger: ['error'],
    forceCloseConnections: true,
  },
);
await configure?.(app, framework);
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
console.log(`Herald is at ${await app.getUrl()}`);
