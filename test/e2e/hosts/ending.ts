import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { Controller, Get, Inject, Injectable, Module, type OnModuleDestroy } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Drain, type Grants, GrantsResolver, HeraldModule, UNLIMITED } from '../../../src/herald/index.js';
import { HeraldGracefulEndModule } from '../../../src/herald/graceful-end/index.js';

/*
 * An application with two hubs that ends in order. Its arguments name the framework and what is spoken: `http1`, `tls`, or
 * `http2`. Its parent has it answer (`answer`), and end without a signal (`close`).
 */

const AT = 'https://team.example';
const { env } = process;

const milliseconds = (name: string, usual: number): number => Number(env[name] ?? usual);

@Injectable()
class Everybody extends GrantsResolver {
  resolve(): Grants {
    return UNLIMITED;
  }
}

const about = {
  grantsResolver: Everybody,
  streams: {
    drain: { delay: milliseconds('DELAY', 0), window: milliseconds('WINDOW', 0) },
    writeTimeout: milliseconds('WRITE_TIMEOUT', 30_000),
  },
};
const hub = HeraldModule.forRoot({ ...about, hubUrl: `${AT}/.well-known/mercure` });
const orders = HeraldModule.forRoot({ ...about, hubUrl: `${AT}/orders/hub`, path: '/orders/hub', name: 'orders' });

/** In the application's own module, whose hooks Nest calls first, and closed as many are. */
@Injectable()
class Database implements OnModuleDestroy {
  private isOpen = true;

  get state(): string {
    return this.isOpen ? 'open' : 'closed';
  }

  onModuleDestroy(): void {
    this.isOpen = false;
  }
}

@Controller('own')
class OwnController {
  constructor(
    @Inject(Database) private readonly database: Database,
    @Inject(Drain) private readonly drain: Drain,
  ) {}

  @Get('slow')
  async slow(): Promise<string> {
    process.send?.('asked');
    await once(process, 'message');
    return this.database.state;
  }

  @Get('state')
  state(): string {
    return this.drain.state;
  }
}

@Module({
  imports: [HeraldGracefulEndModule.forRoot({ patience: milliseconds('PATIENCE', 5_000) }), hub, orders],
  controllers: [OwnController],
  providers: [Database],
})
class TeamModule {}

const [framework, transport] = process.argv.slice(2);

const tls = (): { cert: Buffer; key: Buffer } => ({
  cert: readFileSync(env['HERALD_TLS_CERT_FILE'] ?? ''),
  key: readFileSync(env['HERALD_TLS_KEY_FILE'] ?? ''),
});

function fastify(): FastifyAdapter {
  if (transport === 'http1') return new FastifyAdapter();
  if (transport === 'tls') return new FastifyAdapter({ https: tls() });
  return new FastifyAdapter({ http2: true, https: { ...tls(), allowHTTP1: true } });
}

const app =
  framework === 'Express'
    ? await NestFactory.create(TeamModule, new ExpressAdapter(), transport === 'tls' ? { httpsOptions: tls() } : {})
    : await NestFactory.create(TeamModule, fastify());
process.on('message', (message) => {
  if (message !== 'close') return;
  // Nothing else keeps the process: it ends where nothing is left open.
  void app.close().then(() => process.disconnect());
});
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
console.log(`Herald is at ${await app.getUrl()}`);
