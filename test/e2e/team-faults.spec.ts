import { describe, expect, it } from '@jest/globals';
import {
  type ArgumentsHost,
  type CallHandler,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  Injectable,
  Module,
  type NestInterceptor,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { EMPTY, map, mergeMap, type Observable, of, throwError } from 'rxjs';
import { type Grants, GrantsResolver, HeraldModule, HubService, Journal } from '../../src/herald/index.js';
import { CapturedLog } from '../support/captured-log.js';
import { EventStream, send, textOf } from '../support/event-stream.js';
import { form, HUB, updatesOf } from '../support/hub.js';

/*
 * An application as a team would write it, in which everything of the team's own fails: the grants that its resolver
 * gives, what its interceptors and filters make of answers, and what listens to the journal.
 */

const SECRET = 'urn:secret:room';

/** As errors of HTTP clients are: with the request, and the token in it. */
class StoreError extends Error {
  readonly request = { authorization: 'Bearer of-the-store' };
}

function fail(): never {
  throw new StoreError('the store is away');
}

const SOUND: Grants = { subject: 'ann', readKey: 'ann', canPublish: () => true, canRead: () => true };

/** To be broken: who reads by a key of its own sees what its own grants let through. */
const BROKEN: Grants = { ...SOUND, readKey: 'broken' };

/** Grants by the name that a request brings in a header: each is broken in one way. */
const GRANTS: Readonly<Record<string, () => unknown>> = {
  'are sound': () => SOUND,
  'have a canRead that throws': () => ({ ...BROKEN, canRead: fail }),
  'have a canRead that gives a promise': () => ({ ...BROKEN, canRead: () => Promise.reject(new StoreError()) }),
  'have a canRead that is no function': () => ({ ...BROKEN, canRead: 'yes' }),
  'have a canPublish that throws': () => ({ ...BROKEN, canPublish: fail }),
  'have a canPublish that gives a promise': () => ({ ...BROKEN, canPublish: () => Promise.resolve(true) }),
  'have a canPublish that gives a number': () => ({ ...BROKEN, canPublish: () => 1 }),
  'have a payloadFor that throws': () => ({ ...BROKEN, payloadFor: fail }),
  'have a payloadFor that gives what is no JSON': () => ({ ...BROKEN, payloadFor: () => ({ big: 1n }) }),
  'have a payloadFor that gives a promise': () => ({ ...BROKEN, payloadFor: () => Promise.reject(new StoreError()) }),
  'have a readKey that throws': () => Object.defineProperty({ ...BROKEN }, 'readKey', { get: fail }),
  'have no readKey': () => ({ ...BROKEN, readKey: undefined }),
  'have an expiry that is no number': () => ({ ...BROKEN, expiresAt: 'tomorrow' }),
  'are no object': () => 'everything',
  'can’t be found out': fail,
};

@Injectable()
class BrokenGrants extends GrantsResolver {
  async resolve(request: FastifyRequest): Promise<Grants | undefined> {
    const name = decodeURIComponent(String(request.headers['x-grants']));
    return Promise.resolve(GRANTS[name]?.() as Grants | undefined);
  }
}

interface TeamOptions {
  readonly interceptor?: Type<NestInterceptor>;
  readonly filter?: Type<ExceptionFilter>;
  /** Whether a hook of the team's own takes a moment before each answer. */
  readonly isSlow?: boolean;
}

/** The application, listening. `await using` ends it. */
class Team implements AsyncDisposable {
  private constructor(
    private readonly app: NestFastifyApplication,
    private readonly url: string,
    readonly log: CapturedLog,
  ) {}

  static async start({ interceptor, filter, isSlow = false }: TeamOptions = {}): Promise<Team> {
    const hubUrl = new URL('https://team.example/.well-known/mercure');
    const providers: Provider[] = [
      ...(interceptor ? [{ provide: APP_INTERCEPTOR, useClass: interceptor }] : []),
      ...(filter ? [{ provide: APP_FILTER, useClass: filter }] : []),
    ];
    const hub = { subscriptions: { enabled: true, grace: 0 } };
    @Module({ imports: [HeraldModule.forRoot({ hubUrl, hub, grantsResolver: BrokenGrants })], providers })
    class TeamModule {}

    const log = new CapturedLog();
    const options = { logger: log, forceCloseConnections: true };
    const app = await NestFactory.create<NestFastifyApplication>(TeamModule, new FastifyAdapter(), options);
    const fastify = app.getHttpAdapter().getInstance();
    if (isSlow) fastify.addHook('onSend', (_request, _reply, payload, done) => void setImmediate(done, null, payload));
    await app.listen(0, '127.0.0.1');
    return new Team(app, await app.getUrl(), log);
  }

  get hub(): HubService {
    return this.app.get(HubService);
  }

  get journal(): Journal {
    return this.app.get<Journal>(Journal);
  }

  publish(grants: string, fields: Readonly<Record<string, string>> = {}): ReturnType<typeof send> {
    return this.post(HUB, { 'content-type': 'application/x-www-form-urlencoded', ...named(grants) }, form(fields));
  }

  batch(lines: readonly object[]): ReturnType<typeof send> {
    const body = lines.map((line) => JSON.stringify(line)).join('\n');
    return this.post(`${HUB}/batch`, { 'content-type': 'application/x-ndjson', ...named('are sound') }, body);
  }

  subscribe(grants: string, query = 'match=*'): ReturnType<typeof send> {
    return send(`${this.url}${HUB}?${query}`, { headers: named(grants) });
  }

  async read(grants: string, query?: string): Promise<EventStream> {
    return new EventStream(await this.subscribe(grants, query));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
  }

  private post(path: string, headers: Readonly<Record<string, string>>, body: string): ReturnType<typeof send> {
    return send(this.url + path, { method: 'POST', headers }, body);
  }
}

function named(grants: string): Readonly<Record<string, string>> {
  return { 'x-grants': encodeURIComponent(grants) };
}

/** What a reader has got of the test's own updates. */
function dataOf(stream: EventStream): string[] {
  return updatesOf(stream)
    .map(({ data }) => data)
    .filter((data) => !data.startsWith('{'));
}

describe('grants of an application’s own that', () => {
  it.each([
    ['have a canRead that throws', ['public']],
    ['have a canRead that gives a promise', ['public']],
    ['have a canRead that is no function', ['public']],
    ['have a readKey that throws', ['public']],
    ['have no readKey', ['public']],
    ['have an expiry that is no number', ['public']],
    ['are no object', ['public']],
    ['have a payloadFor that throws', ['private', 'private', 'public']],
    ['have a payloadFor that gives what is no JSON', ['private', 'private', 'public']],
    ['have a payloadFor that gives a promise', ['private', 'private', 'public']],
    ['are sound', ['private', 'private', 'public']],
  ])('%s let their reader have %j, live and from the log, and are logged once', async (name, granted) => {
    await using team = await Team.start();
    await using sound = await team.read('are sound');
    await using live = await team.read(name, 'match=*&with=topics');
    await team.publish('are sound', { topic: SECRET, data: 'private', private: 'on' });
    await team.publish('are sound', { topic: SECRET, data: 'private', private: 'on' });
    await team.publish('are sound', { topic: 'urn:open', data: 'public' });
    await using resumed = await team.read(name, 'match=*&last_event_id=earliest');
    await using newest = await team.read(name, 'match=*&last=100');
    for (const stream of [sound, live, resumed, newest]) {
      await stream.until(() => dataOf(stream).includes('public'));
    }
    expect([live, resumed, newest].map(dataOf)).toEqual([granted, granted, granted]);
    expect(dataOf(sound)).toEqual(['private', 'private', 'public']);
    expect(team.log.errors).toHaveLength(name === 'are sound' ? 0 : 1);
    expect(JSON.stringify(team.log.errors)).not.toMatch(/Bearer|urn:/);
  });

  it.each([
    'have a canPublish that throws',
    'have a canPublish that gives a promise',
    'have a canPublish that gives a number',
    'have no readKey',
  ])('%s let nobody publish, over HTTP or in the process', async (name) => {
    await using team = await Team.start();
    const refused = await team.publish(name, { topic: SECRET, data: 'x' });
    expect(refused.statusCode).toBe(403);
    expect(JSON.parse(await textOf(refused))).toMatchObject({ code: 'insufficient-scope' });
    const given = GRANTS[name]?.() as Grants;
    await expect(team.hub.publish({ topics: [SECRET] }, { grants: given })).rejects.toMatchObject({
      code: 'insufficient-scope',
    });
    expect(team.hub.lastEventId).toBe('earliest');
    expect(team.log.errors).toHaveLength(1);
    expect(JSON.stringify(team.log.errors)).not.toMatch(/Bearer|urn:/);
  });

  it('can’t be found out are one failed request', async () => {
    await using team = await Team.start();
    const answers = [
      await team.publish('can’t be found out', { topic: SECRET }),
      await team.subscribe('can’t be found out'),
    ];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([500, 500]);
    for (const answer of answers) expect(await textOf(answer)).not.toContain('store');
    expect(team.log.errors).toHaveLength(2);
    expect((await team.publish('are sound', { topic: SECRET })).statusCode).toBe(200);
  });
});

/** Interceptors by what they make of an answer that they let come. */
const AFTERWARDS: Readonly<Record<string, (answer$: Observable<unknown>) => Observable<unknown>>> = {
  'wraps answers into an object': map((data) => ({ data })),
  throws: mergeMap(() => throwError(() => new StoreError('too late'))),
  'gives what can’t be sent': map(() => ({ big: 1n })),
  'gives what is no answer at all': map(() => () => undefined),
  'gives nothing': mergeMap(() => EMPTY),
};

function interceptorThat(name: string): Type<NestInterceptor> {
  class Interceptor implements NestInterceptor {
    intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
      return AFTERWARDS[name]?.(next.handle()) ?? next.handle();
    }
  }
  return Interceptor;
}

/** Answers whatever goes wrong in its own way, and looks at nothing first. */
@Catch()
class OwnFilter implements ExceptionFilter {
  catch(_error: unknown, host: ArgumentsHost): void {
    void host.switchToHttp().getResponse<FastifyReply>().status(418).header('content-type', 'text/html').send('no');
  }
}

@Injectable()
class Closed implements NestInterceptor {
  intercept(): Observable<unknown> {
    return of('closed');
  }
}

const HEADERS = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'private' };

describe('what is stored is answered as stored', () => {
  it.each([
    ...Object.keys(AFTERWARDS).map((name): [string, TeamOptions] => [name, { interceptor: interceptorThat(name) }]),
    ['throws, with a filter of its own', { interceptor: interceptorThat('throws'), filter: OwnFilter }],
    ['throws, with a slow hook', { interceptor: interceptorThat('throws'), isSlow: true }],
    [
      'throws, with a filter of its own and a slow hook',
      { interceptor: interceptorThat('throws'), filter: OwnFilter, isSlow: true },
    ],
  ])('where an interceptor %s', async (_, options) => {
    await using team = await Team.start(options);
    await using reader = await team.read('are sound');
    const one = await team.publish('are sound', { topic: SECRET, data: 'one', id: 'urn:id:1' });
    expect([one.statusCode, await textOf(one), one.headers]).toEqual([
      200,
      'urn:id:1',
      expect.objectContaining(HEADERS),
    ]);
    const many = await team.batch([{ topic: SECRET, data: 'two', id: 'urn:id:2' }, { topic: '*' }]);
    expect([many.statusCode, many.headers]).toEqual([
      200,
      expect.objectContaining({ ...HEADERS, 'content-type': 'application/x-ndjson; charset=utf-8' }),
    ]);
    const lines = (await textOf(many)).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { id: 'urn:id:2' },
      { error: expect.objectContaining({ code: 'topic-reserved' }) },
    ]);
    await reader.until(() => dataOf(reader).length === 2);
    expect(dataOf(reader)).toEqual(['one', 'two']);
  });

  it('where an interceptor keeps the request from the hub, which answers then and stores nothing', async () => {
    await using team = await Team.start({ interceptor: Closed });
    expect(await textOf(await team.publish('are sound', { topic: SECRET }))).toBe('closed');
    expect(await textOf(await team.batch([{ topic: SECRET }]))).toBe('closed');
    expect(team.hub.lastEventId).toBe('earliest');
  });

  it('where a listener to the journal throws', async () => {
    await using team = await Team.start();
    team.journal.tail(0, fail);
    await using reader = await team.read('are sound');
    const answer = await team.publish('are sound', { topic: SECRET, data: 'x', id: 'urn:id:1' });
    expect([answer.statusCode, await textOf(answer)]).toEqual([200, 'urn:id:1']);
    await reader.until(() => dataOf(reader).length === 1);
  });

  it('where another line of the same batch fails in a way that nobody has thought of', async () => {
    await using team = await Team.start();
    const append = team.journal.append.bind(team.journal);
    team.journal.append = (update, options) => (update.data === 'bad' ? fail() : append(update, options));
    const answer = await team.batch(
      ['good', 'bad', 'good'].map((data, index) => ({ topic: SECRET, data, id: `urn:${index}` })),
    );
    const lines = (await textOf(answer)).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { id: 'urn:0' },
      { error: { code: 'internal-error', detail: expect.any(String), errorId: expect.any(String) } },
      { id: 'urn:2' },
    ]);
    expect(team.log.errors).toHaveLength(1);
  });
});
