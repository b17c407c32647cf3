import { type INestApplication, Module } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { expect, it } from '@jest/globals';
import { HeraldModule } from '../../src/herald/index.js';
import { openStream, send, textOf } from '../support/event-stream.js';
import { HUB } from '../support/hub.js';
import { listening } from '../support/nest.js';
import { NamedUsers } from '../support/team-app.js';

const AT = 'https://team.example';

/** 200 characters, of which several mean something in a path. */
const TOPIC = `${AT}/a/b%2Fc?d=é&e=;#${'f/'.repeat(100)}`.slice(0, 200);

const OTHER = '/api/other/hub';

const USER = { headers: { 'x-user': 'ann' } };

const subscriptions = { enabled: true, grace: 0 };

@Module({
  imports: [
    HeraldModule.forRoot({ hubUrl: AT + HUB, grantsResolver: NamedUsers, hub: { subscriptions } }),
    HeraldModule.forRoot({
      hubUrl: AT + OTHER,
      path: '/other/hub',
      name: 'other',
      grantsResolver: NamedUsers,
      hub: { subscriptions },
    }),
  ],
})
class TeamModule {}

const ADAPTERS = {
  Fastify: () => new FastifyAdapter(),
  'Fastify, whose router takes long parts of a path': () =>
    new FastifyAdapter({ routerOptions: { maxParamLength: 4_096 } }),
  Express: () => new ExpressAdapter(),
} as const;

async function listOf(app: INestApplication, path: string): Promise<readonly unknown[]> {
  const answer = await send((await app.getUrl()) + path, USER);
  const body = JSON.parse(await textOf(answer)) as { subscriptions?: readonly object[] };
  return [answer.statusCode, body.subscriptions ?? body];
}

it.each(Object.entries(ADAPTERS))('a topic of 200 characters is found by its path on %s', async (_, adapter) => {
  const app = await listening(TeamModule, adapter(), (made) => made.setGlobalPrefix('api'));
  try {
    for (const hub of [HUB, OTHER]) {
      const topic = encodeURIComponent(TOPIC);
      await using stream = await openStream(`${await app.getUrl()}${hub}?match=${topic}`, USER);
      expect(stream.response.statusCode).toBe(200);
      const path = `${hub}/subscriptions/exact/${topic}`;
      const [status, list] = await listOf(app, `${path}?after=0`);
      expect([status, list]).toEqual([200, [expect.objectContaining({ match: TOPIC, match_type: 'exact' })]]);
      const [{ id, subscriber }] = list as [{ id: string; subscriber: string }];
      expect(await listOf(app, `${path}/${encodeURIComponent(subscriber)}`)).toMatchObject([200, { id, match: TOPIC }]);
      expect(await listOf(app, `${path}x`)).toEqual([200, []]);
      expect(await listOf(app, `${path}/nobody`)).toMatchObject([404, {}]);
      expect(await listOf(app, `${hub}/subscriptions/exact//${topic}`)).toMatchObject([404, {}]);
      expect(await listOf(app, `${path}/${topic}/${topic}`)).toMatchObject([404, {}]);
    }
  } finally {
    await app.close();
  }
});
