import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestOptions, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Get,
  Injectable,
  type INestApplication,
  Module,
  SetMetadata,
  VersioningType,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { map, type Observable } from 'rxjs';
import { HeraldFilesModule, type HeraldFilesOptions } from '../../src/herald/files/index.js';
import { HeraldModule } from '../../src/herald/index.js';
import { CompiledProgram } from '../support/compiled-program.js';
import { send, textOf } from '../support/event-stream.js';
import { startHerald } from '../support/herald.js';
import { HUB } from '../support/hub.js';
import { type Adapter, ADAPTERS, NamedUsers, TeamApp } from '../support/team-app.js';

const AT = 'https://team.example';
const ORDERS = '/orders/hub';

@Controller('own')
class OwnController {
  @Get()
  own(): unknown {
    return { own: true };
  }
}

/** Who has no name in the header `x-user` sees no console. */
@Injectable()
class Staff {
  has(name: unknown): boolean {
    return name === 'ann';
  }
}

@Module({ providers: [Staff], exports: [Staff] })
class StaffModule {}

@Injectable()
class StaffGuard implements CanActivate {
  constructor(private readonly staff: Staff) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<IncomingMessage>();
    if (this.staff.has(headers['x-user'])) return true;
    throw new ForbiddenException('Staff alone.');
  }
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

type Ask = (path: string, options?: RequestOptions) => Promise<Answer>;

/** Asks for exactly this path, dots and all. */
function asker(url: string): Ask {
  return async (path, options = {}) => {
    const response = await send(url, { ...options, path });
    return { status: response.statusCode, headers: response.headers, text: await textOf(response) };
  };
}

interface Scene {
  readonly files?: HeraldFilesOptions;
  readonly imports?: NonNullable<Parameters<typeof TeamApp.start>[1]['imports']>;
  readonly providers?: NonNullable<Parameters<typeof TeamApp.start>[1]['providers']>;
  readonly configure?: (app: INestApplication) => unknown;
}

/** An application with a hub that is not global, a route of its own, and Herald's files. */
function start(adapter: Adapter, { files, imports = [], providers = [], configure }: Scene = {}): Promise<TeamApp> {
  const hub = HeraldModule.forRoot({ hubUrl: AT + HUB, grantsResolver: NamedUsers });
  const module = {
    imports: [hub, ...imports, HeraldFilesModule.forRoot(files)],
    controllers: [OwnController],
    providers: [...providers],
  };
  return TeamApp.start(adapter, module, configure);
}

/** Jest can't load what serves files on Fastify. */
const program = new CompiledProgram('test/e2e/hosts/own-page.ts');

/** What the document says of the application, by the names of its elements. */
function toldBy(html: string): Record<string, string> {
  const elements = html.matchAll(/<meta name="herald-(\w+)" content="([^"]*)" \/>/g);
  return Object.fromEntries(Array.from(elements, ([, name = '', content = '']) => [name, content]));
}

describe.each(ADAPTERS)('the files in an application on %s', (adapter) => {
  it('are the client library and the console, which knows where the hub is', async () => {
    await using team = await start(adapter);
    const ask = asker(await team.app.getUrl());
    const library = await ask('/herald/client.js');
    expect(library).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-cache' },
      text: expect.stringContaining('createHeraldClient'),
    });
    expect(library.headers).not.toHaveProperty('content-security-policy');

    const page = await ask('/herald/');
    expect(page).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'content-security-policy': expect.stringMatching(/^default-src 'none';script-src 'self';/),
      },
    });
    expect(page.headers['content-security-policy']).not.toMatch(/unsafe|\*/);
    expect(page.text).toContain('<title>Herald console</title>');
    expect(toldBy(page.text)).toEqual({ hub: HUB, library: 'client.js' });
    expect(await ask('/herald/index.html')).toMatchObject({ status: 200, text: page.text });

    const assets = Array.from(page.text.matchAll(/(?:src|href)="\.\/([^"]+)"/g), ([, name = '']) => name);
    expect(assets).toHaveLength(3);
    for (const name of assets) {
      const isHashed = name.startsWith('assets/');
      expect([name, await ask(`/herald/${name}`)]).toMatchObject([
        name,
        {
          status: 200,
          headers: { 'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache' },
        },
      ]);
    }
    expect((await ask('/herald/license.md')).text).toContain('preact');
  });

  it('lead from the console’s path to the same with a slash', async () => {
    await using team = await start(adapter);
    const ask = asker(await team.app.getUrl());
    expect(await ask('/herald?x=1')).toMatchObject({ status: 308, headers: { location: 'herald/' }, text: '' });
    expect(await ask('/herald/?x=1')).toMatchObject({ status: 200 });
  });

  it('answer HEAD as GET without a body, and no other method', async () => {
    await using team = await start(adapter);
    const ask = asker(await team.app.getUrl());
    for (const path of ['/herald/', '/herald/client.js', '/herald/favicon.svg']) {
      const get = await ask(path);
      const head = await ask(path, { method: 'HEAD' });
      const bytes = String(Buffer.byteLength(get.text));
      expect([path, head.status, head.text, head.headers['content-length']]).toEqual([path, 200, '', bytes]);
      expect([head.headers['content-type'], head.headers['etag']]).toEqual([
        get.headers['content-type'],
        get.headers['etag'],
      ]);
      for (const method of ['POST', 'PUT', 'DELETE']) expect((await ask(path, { method })).status).toBe(404);
    }
  });

  it('are not sent again to who has them', async () => {
    await using team = await start(adapter);
    const ask = asker(await team.app.getUrl());
    const { headers } = await ask('/herald/client.js');
    const tag = String(headers['etag']);
    expect(tag).toMatch(/^"[\w-]{43}"$/);
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`]) {
      const again = await ask('/herald/client.js', { headers: { 'if-none-match': known } });
      expect(again).toMatchObject({ status: 304, text: '', headers: { etag: tag, 'cache-control': 'no-cache' } });
    }
    expect(await ask('/herald/client.js', { headers: { 'if-none-match': '"other"' } })).toMatchObject({ status: 200 });
  });

  it.each([
    '/herald/../package.json',
    '/herald/%2e%2e/package.json',
    '/herald/..%2findex.html',
    '/herald/..%2f..%2f..%2fpackage.json',
    '/herald/..%5cindex.html',
    '/herald/assets/..%2findex.html',
    '/herald/assets/%2e%2e%2f%2e%2e%2fpackage.json',
    '/herald/assets/',
    '/herald/assets',
    '/herald/herald/client.js',
    '/herald/client.js%00',
    '/herald/.git',
    '/herald/constructor',
    '/herald/__proto__',
    '/herald/client.js.map/x',
    '/client.js',
    '/assets/index.js',
  ])('are not found at %s', async (path) => {
    await using team = await start(adapter);
    const answer = await asker(await team.app.getUrl())(path);
    expect([400, 404]).toContain(answer.status);
    expect(answer.text).not.toContain('herald-hub');
  });

  it('are below the global prefix, and have no version', async () => {
    const files = { hubPath: `/api${ORDERS}`, adminPath: '/api/admin' };
    await using team = await start(adapter, {
      files,
      configure: (app) => {
        app.setGlobalPrefix('api');
        app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
      },
    });
    const ask = asker(await team.app.getUrl());
    expect(toldBy((await ask('/api/herald/')).text)).toEqual({
      hub: `/api${ORDERS}`,
      admin: '/api/admin',
      library: 'client.js',
    });
    expect(await ask('/api/herald')).toMatchObject({ status: 308, headers: { location: 'herald/' } });
    expect(await ask('/api/herald/client.js')).toMatchObject({ status: 200 });
    for (const path of ['/herald/', '/herald/client.js', '/api/v1/herald/client.js']) {
      expect(await ask(path)).toMatchObject({ status: 404 });
    }
    expect(await ask('/api/v1/own')).toMatchObject({ status: 200 });
  });

  it('may lie apart from the console, or be there alone', async () => {
    await using apart = await start(adapter, { files: { path: '/push', consolePath: '/ops/push-console' } });
    const ask = asker(await apart.app.getUrl());
    expect(toldBy((await ask('/ops/push-console/')).text)).toMatchObject({ library: '../../push/client.js' });
    expect(await ask('/ops/push-console')).toMatchObject({ headers: { location: 'push-console/' } });
    expect(await ask('/push/client.js')).toMatchObject({ status: 200 });
    for (const path of ['/push/', '/push', '/push/favicon.svg', '/ops/push-console/client.js']) {
      expect(await ask(path)).toMatchObject({ status: 404 });
    }
    await using alone = await start(adapter, { files: { console: false } });
    const askAlone = asker(await alone.app.getUrl());
    expect(await askAlone('/herald/client.js')).toMatchObject({ status: 200 });
    for (const path of ['/herald', '/herald/', '/herald/index.html', '/herald/favicon.svg']) {
      expect(await askAlone(path)).toMatchObject({ status: 404 });
    }
  });

  it('leave the console to guards of the application, and the library to everybody', async () => {
    await using team = await start(adapter, { files: { imports: [StaffModule], guards: [StaffGuard] } });
    const ask = asker(await team.app.getUrl());
    const paths = ['/herald', '/herald/', '/herald/index.html', '/herald/favicon.svg', '/herald/assets/x.js'];
    for (const path of paths) expect([path, (await ask(path)).status]).toEqual([path, 403]);
    expect(await ask('/herald/client.js')).toMatchObject({ status: 200 });
    expect(await ask('/herald/', { headers: { 'x-user': 'ann' } })).toMatchObject({ status: 200 });
  });

  it('wear what the application’s global guards look for', async () => {
    const guard = {
      provide: APP_GUARD,
      inject: [Reflector],
      useFactory: (reflector: Reflector) => ({
        canActivate: (context: ExecutionContext) => reflector.get('public', context.getClass()) === true,
      }),
    };
    const decorators = [SetMetadata('public', true)];
    await using team = await start(adapter, { files: { decorators }, providers: [guard] });
    const ask = asker(await team.app.getUrl());
    for (const path of ['/herald/', '/herald/client.js']) expect(await ask(path)).toMatchObject({ status: 200 });
    expect(await ask('/own')).toMatchObject({ status: 403 });
  });

  it('come as they are through what the application has on all routes, which keep what they have', async () => {
    const policy = "default-src 'self'";
    await using team = await start(adapter, {
      configure: (app) => {
        app.use((_request: IncomingMessage, response: ServerResponse, next: () => void) => {
          response.setHeader('content-security-policy', policy);
          next();
        });
        app.useGlobalInterceptors({
          intercept: (_context: ExecutionContext, next: CallHandler): Observable<unknown> =>
            next.handle().pipe(map((data: unknown) => ({ data }))),
        });
      },
    });
    const ask = asker(await team.app.getUrl());
    const page = await ask('/herald/');
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'/);
    expect(page.text).toMatch(/^<!doctype html>/);
    const own = await ask('/own');
    expect([own.headers['content-security-policy'], own.text]).toEqual([policy, '{"data":{"own":true}}']);
    for (const name of ['x-frame-options', 'x-content-type-options', 'referrer-policy']) {
      expect(own.headers).not.toHaveProperty(name);
    }
    expect(team.log.errors).toEqual([]);
  });

  it('are in no OpenAPI document of the application', async () => {
    await using team = await start(adapter);
    const { paths } = SwaggerModule.createDocument(team.app, new DocumentBuilder().build());
    expect(Object.keys(paths)).toContain('/own');
    expect(Object.keys(paths).filter((path) => path.startsWith('/herald'))).toEqual([]);
  });

  describe('beside a page of the application’s own', () => {
    let root: string;
    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), 'herald-files-'));
      await mkdir(join(root, 'assets'));
      await writeFile(join(root, 'index.html'), 'the page of the team');
      await writeFile(join(root, 'assets/app.js'), 'the script of the team');
    });
    afterAll(() => rm(root, { recursive: true }));

    it.each(['no fallback', 'fallback'])(
      'both are served, also where that is for unknown paths: %s',
      async (fallback) => {
        await using team = await startHerald({ command: await program.command(adapter, root, fallback) });
        const ask = asker(team.url);
        expect(await ask('/')).toMatchObject({ status: 200, text: 'the page of the team' });
        expect(await ask('/assets/app.js')).toMatchObject({ status: 200, text: 'the script of the team' });
        if (fallback === 'fallback') expect(await ask('/orders/1')).toMatchObject({ text: 'the page of the team' });
        expect((await ask('/herald/')).text).toContain('<title>Herald console</title>');
        expect(await ask('/herald')).toMatchObject({ status: 308 });
        expect((await ask('/herald/client.js')).text).toContain('createHeraldClient');
        expect(await ask('/herald/none.js')).toMatchObject({ status: 404 });
      },
    );
  });
});
