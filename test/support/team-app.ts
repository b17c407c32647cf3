import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { type Grants, GrantsResolver, type HubRequest } from '../../src/herald/index.js';
import { CapturedLog } from './captured-log.js';
import { EventStream, send, textOf } from './event-stream.js';
import { form, HUB } from './hub.js';

/** The frameworks that a team's application may run on. */
export const ADAPTERS = ['Fastify', 'Express'] as const;

export type Adapter = (typeof ADAPTERS)[number];

/** Whoever brings a name in the header `x-user` may do everything. */
@Injectable()
export class NamedUsers extends GrantsResolver {
  resolve({ headers }: HubRequest): Grants | undefined {
    const name = headers['x-user'];
    if (typeof name !== 'string') return undefined;
    return { subject: name, readKey: name, canPublish: () => true, canRead: () => true };
  }
}

type Method = 'DELETE' | 'GET' | 'POST' | 'QUERY';

/** An application as a team would write it, with a hub in it, listening. `await using` ends it. */
export class TeamApp implements AsyncDisposable {
  private constructor(
    readonly app: INestApplication,
    private readonly url: string,
    readonly log: CapturedLog,
  ) {}

  /** @param configure what the team does with its application before it listens. */
  static async start(
    adapter: Adapter,
    module: ModuleMetadata,
    configure: (app: INestApplication) => unknown = () => undefined,
  ): Promise<TeamApp> {
    @Module(module)
    class TeamModule {}

    const log = new CapturedLog();
    const options = { logger: log, forceCloseConnections: true, abortOnError: false };
    const app = await make(adapter, TeamModule, options);
    await configure(app);
    await app.listen(0, '127.0.0.1');
    return new TeamApp(app, await app.getUrl(), log);
  }

  /** What an answer of the application has. */
  async ask(
    path: string,
    { method = 'GET', headers = {}, body }: { method?: Method; headers?: Record<string, string>; body?: string } = {},
  ): Promise<{ status: number | undefined; headers: NodeJS.Dict<string | string[]>; text: string }> {
    const response = await send(this.url + path, { method, headers }, body);
    return { status: response.statusCode, headers: response.headers, text: await textOf(response) };
  }

  publish(fields: Record<string, string>, { hub = HUB, user = 'ann' } = {}): ReturnType<TeamApp['ask']> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-user': user };
    return this.ask(hub, { method: 'POST', headers, body: form(fields) });
  }

  async read(query = 'match=*', { hub = HUB, user = 'ann', headers = {} } = {}): Promise<EventStream> {
    return new EventStream(await send(`${this.url}${hub}?${query}`, { headers: { 'x-user': user, ...headers } }));
  }

  async open(path: string, headers: Record<string, string> = {}): Promise<EventStream> {
    return new EventStream(await send(this.url + path, { headers }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
  }
}

function make(adapter: Adapter, module: new () => unknown, options: object): Promise<INestApplication> {
  return NestFactory.create(module, adapter === 'Express' ? new ExpressAdapter() : new FastifyAdapter(), options);
}
