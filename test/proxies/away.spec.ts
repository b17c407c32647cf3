import { expect, it } from '@jest/globals';
import { EDGE_KINDS } from '../support/edge-kinds.js';
import { send, textOf } from '../support/event-stream.js';
import { Http2Connection } from '../support/http2-client.js';
import { form, HUB, publisherToken } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { Stage } from './stage.js';

/** What keeps an EventSource alive: no id, and no blank line, so that it hears of nothing. */
const REMEDY = 'retry: 3000\n: the hub is away\n';

const ORIGIN = 'https://pages.example.org';

const EVENTS = 'text/event-stream';

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

for (const kind of EDGE_KINDS) {
  describeWith(kind.program, `${kind.name} whose hub is away`, (program) => {
    async function withoutHub(): Promise<Stage> {
      const stage = await Stage.set(kind, program, { origin: ORIGIN });
      await stage.hub.kill('SIGKILL');
      return stage;
    }

    async function ask(
      url: string,
      { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> },
      body?: string,
    ): Promise<Answer> {
      const response = await send(url, { method, headers }, body);
      const text = await textOf(response);
      return { status: response.statusCode, type: response.headers['content-type'], text };
    }

    const remedied = { status: 200, type: 'text/event-stream; charset=utf-8', text: REMEDY };

    it('has readers who accept events and nothing else come back', async () => {
      await using stage = await withoutHub();
      const url = `${stage.edge.url}${HUB}?match=urn:a`;
      for (const accept of [EVENTS, 'Text/Event-Stream', `${EVENTS};charset=utf-8`, `${EVENTS} ; q=1`]) {
        expect(await ask(url, { headers: { accept } })).toEqual(remedied);
      }
      expect(await ask(`${stage.edge.url}/events`, { headers: { accept: EVENTS } })).toEqual(remedied);
      const headers = { accept: EVENTS, 'content-type': 'application/x-www-form-urlencoded' };
      const query = await ask(stage.edge.url + HUB, { method: 'QUERY', headers }, form({ match: 'urn:a' }));
      expect(query).toEqual(remedied);
    });

    it('does so over HTTP/2', async () => {
      await using stage = await withoutHub();
      await using connection = await Http2Connection.to(stage.edge);
      const stream = connection.session.request({ ':path': `${HUB}?match=urn:a`, accept: EVENTS });
      const head = new Promise((resolve) => stream.once('response', resolve));
      let text = '';
      for await (const part of stream.setEncoding('utf8')) text += String(part);
      expect(await head).toMatchObject({ ':status': 200, 'content-type': remedied.type, 'cache-control': 'no-store' });
      expect(text).toBe(REMEDY);
    });

    it('lets pages read it that may read the hub, and no others', async () => {
      await using stage = await withoutHub();
      const url = `${stage.edge.url}${HUB}?match=urn:a`;
      const sharedWith = async (origin: string): Promise<unknown[]> => {
        const { headers } = await send(url, { headers: { accept: EVENTS, origin } });
        const { vary, 'cache-control': kept } = headers;
        return [headers['access-control-allow-origin'], headers['access-control-allow-credentials'], vary, kept];
      };
      expect(await sharedWith(ORIGIN)).toEqual([ORIGIN, 'true', 'Origin', 'no-store']);
      expect(await sharedWith('https://others.example.org')).toEqual([undefined, undefined, 'Origin', 'no-store']);
    });

    it('says to everybody else that it is away', async () => {
      await using stage = await withoutHub();
      const url = `${stage.edge.url}${HUB}`;
      const authorization = `Bearer ${await publisherToken()}`;
      const type = 'application/x-www-form-urlencoded';
      const answers = [
        await ask(`${url}?match=urn:a`, {}),
        await ask(`${url}?match=urn:a`, { headers: { accept: '*/*' } }),
        await ask(`${url}?match=urn:a`, { headers: { accept: `${EVENTS}, application/problem+json` } }),
        await ask(`${url}?match=urn:a`, { headers: { accept: `${EVENTS}-of-another-kind` } }),
        await ask(`${url}/history?match=urn:a`, { headers: { accept: EVENTS } }),
        await ask(url, { method: 'HEAD', headers: { accept: EVENTS } }),
        await ask(
          url,
          { method: 'POST', headers: { accept: EVENTS, authorization, 'content-type': type } },
          form({ topic: 'urn:a' }),
        ),
        await ask(`${url}/batch`, { method: 'POST', headers: { accept: EVENTS, authorization } }, '{"topic":"urn:a"}'),
      ];
      for (const { status, type: given, text } of answers) {
        expect([502, 503, 504]).toContain(status);
        expect([given?.includes(EVENTS) ?? false, text.includes('retry:')]).toEqual([false, false]);
      }
    });
  });

  describeWith(kind.program, `${kind.name} before a hub whose Redis is away`, (program) => {
    describeWith(redisServer, 'with Redis', (redisProgram) => {
      it('passes on what the hub says itself, also once the hub is not ready', async () => {
        await using redis = await RedisServer.start(redisProgram);
        await using stage = await Stage.set(kind, program, { env: { HERALD_JOURNAL: redis.url }, isTwice: true });
        await redis.stop();
        for (const time of ['first', 'second', 'third']) {
          const answer = await stage.publisher.post(form({ topic: 'urn:a', data: time }));
          const problem = JSON.parse(await textOf(answer)) as object;
          expect([answer.statusCode, answer.headers['retry-after'], problem]).toEqual([
            503,
            expect.any(String),
            expect.objectContaining({ code: expect.any(String) }),
          ]);
        }
      }, 60_000);
    });
  });
}
