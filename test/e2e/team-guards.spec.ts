import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Global,
  Inject,
  Injectable,
  Module,
  Post,
  SetMetadata,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD, NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import {
  type Grants,
  GrantsOfRequest,
  GrantsResolver,
  HeraldModule,
  type HeraldExtras,
  type HeraldOptions,
  HubError,
  HubService,
  PublishGuard,
  type Role,
  SubscribeGuard,
  TokenGrantsResolver,
} from '../../src/herald/index.js';
import { EventStream, send, textOf } from '../support/event-stream.js';
import { form, HUB } from '../support/hub.js';

/*
 * An application as a team would write it that has users of its own, and no tokens: its session cookie says who
 * somebody is, its own store what they may.
 */

interface User {
  readonly name: string;
  readonly rooms: readonly string[];
  readonly mayWrite: boolean;
  isBanned?: boolean;
}

@Injectable()
class UserStore {
  private readonly users = new Map<string, User>([
    ['session-ann', { name: 'ann', rooms: ['urn:room:1', 'urn:room:2'], mayWrite: true }],
    ['session-bob', { name: 'bob', rooms: ['urn:room:1'], mayWrite: false }],
    ['session-eve', { name: 'eve', rooms: ['urn:room:1'], mayWrite: true, isBanned: true }],
  ]);

  bySession(session: string): User | undefined {
    return this.users.get(session);
  }
}

@Injectable()
class SessionGrants extends GrantsResolver {
  constructor(@Inject(UserStore) private readonly users: UserStore) {
    super();
  }

  async resolve(request: FastifyRequest, role: Role): Promise<Grants | undefined> {
    const session = /(?:^|; )session=([^;]*)/.exec(request.headers.cookie ?? '')?.[1];
    if (session === undefined) return undefined;
    const user = this.users.bySession(session);
    if (!user) throw new HubError('token-invalid', 'The session is over: log in again.');
    const isTheirs = (topic: string): boolean => user.rooms.includes(topic);
    return Promise.resolve({
      subject: user.name,
      readKey: `user ${user.name}`,
      canPublish: (topics) => role === 'publisher' && user.mayWrite && topics.every(isTheirs),
      canRead: (topics) => topics.some(isTheirs),
    });
  }
}

/** Stacked on the hub's own guard: sees what that one has found out. */
@Injectable()
class NotBanned implements CanActivate {
  constructor(@Inject(UserStore) private readonly users: UserStore) {}

  canActivate(context: ExecutionContext): boolean {
    const { grants, headers } = context.switchToHttp().getRequest<FastifyRequest & { grants?: Grants }>();
    const session = /session=([^;]*)/.exec(headers.cookie ?? '')?.[1] ?? '';
    return grants !== undefined && this.users.bySession(session)?.isBanned !== true;
  }
}

const Maintenance = SetMetadata('maintenance', true);

/** A global guard that reads what a route says of itself. */
@Injectable()
class MaintenanceGuard implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    return !this.reflector.get<boolean | undefined>('maintenance', context.getHandler());
  }
}

/** A route of the team's own behind the hub's guard. */
@Controller('rooms')
class RoomsController {
  constructor(@Inject(HubService) private readonly hub: HubService) {}

  @Post()
  @UseGuards(PublishGuard, NotBanned)
  async say(@Body() { data }: { readonly data: string }, @GrantsOfRequest() grants: Grants): Promise<string> {
    return this.hub.publish({ topics: ['urn:room:1'], data, private: true }, { grants });
  }

  @Post('closed')
  @Maintenance
  @UseGuards(PublishGuard)
  closed(): string {
    return 'never';
  }
}

@Global()
@Module({ providers: [UserStore], exports: [UserStore] })
class UsersModule {}

const OPTIONS: HeraldOptions & HeraldExtras = {
  hubUrl: new URL('https://team.example/.well-known/mercure'),
  grantsResolver: SessionGrants,
  guards: { publish: [PublishGuard, NotBanned], subscribe: [SubscribeGuard, NotBanned] },
};

@Module({
  imports: [UsersModule, HeraldModule.forRoot(OPTIONS)],
  controllers: [RoomsController],
  providers: [{ provide: APP_GUARD, useClass: MaintenanceGuard }],
})
class TeamModule {}

describe('an application with users and guards of its own', () => {
  let app: NestFastifyApplication;
  let url: string;

  beforeEach(async () => {
    app = await NestFactory.create<NestFastifyApplication>(TeamModule, new FastifyAdapter(), {
      logger: false,
      forceCloseConnections: true,
    });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });

  afterEach(() => app.close());

  function publish(session: string | undefined, path = HUB): ReturnType<typeof send> {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(session !== undefined && { cookie: `session=${session}` }),
    };
    const body = form({ topic: 'urn:room:1', data: 'hello', private: 'on' });
    return send(url + path, { method: 'POST', headers }, body);
  }

  async function read(session: string): Promise<EventStream> {
    const headers = { cookie: `session=${session}` };
    return new EventStream(await send(`${url}${HUB}?match=urn:room:1&match=urn:room:2`, { headers }));
  }

  it('lets users publish and read what its own store says', async () => {
    await using bob = await read('session-bob');
    const answer = await publish('session-ann');
    expect(answer.statusCode).toBe(200);
    const id = await textOf(answer);
    const [event] = await bob.take(1);
    expect(event).toMatchObject({ id, data: 'hello' });
  });

  it.each([
    ['nobody', undefined, 401, 'unauthorized'],
    ['a session that is over', 'session-zoe', 401, 'token-invalid'],
    ['a user who may not write', 'session-bob', 403, 'insufficient-scope'],
  ])('refuses %s', async (_, session, status, code) => {
    const answer = await publish(session);
    expect(answer.statusCode).toBe(status);
    expect(JSON.parse(await textOf(answer))).toMatchObject({ code });
  });

  it('asks the guards that are stacked on the hub’s own, on its routes and on those of the team', async () => {
    expect((await publish('session-eve')).statusCode).toBe(403);
    expect((await publish('session-eve', '/rooms')).statusCode).toBe(403);
    expect((await publish('session-ann', '/rooms')).statusCode).toBe(201);
    const refused = await send(`${url}${HUB}?match=urn:room:1`, { headers: { cookie: 'session=session-eve' } });
    expect(refused.statusCode).toBe(403);
  });

  it('has its global guard read the metadata of routes', async () => {
    expect((await publish('session-ann', '/rooms/closed')).statusCode).toBe(403);
  });

  it('leaves tokens out of it, although the resolver for them is there to be used by the application’s own', () => {
    expect(app.get(TokenGrantsResolver)).toBeInstanceOf(GrantsResolver);
    expect(app.get(GrantsResolver)).toBeInstanceOf(SessionGrants);
  });
});
