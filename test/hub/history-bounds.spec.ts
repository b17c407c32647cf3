import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HUB_LIMITS } from '../../src/hub/limits/hub.limits.js';
import { type Answer, Asker, type BegunAnswer, type Question } from '../support/asker.js';
import { type Herald, startHerald } from '../support/herald.js';
import { HUB, HUB_ENVIRONMENT, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import type { Transport } from '../support/transports.js';

const HISTORY = `${HUB}/history`;
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** More than the kernel holds for a connection, and more than half of an eighth of the heap below. */
const LARGE = 16_000_000;
const HEAP = ['--max-old-space-size=128', '--max-semi-space-size=1'];

const LISTENERS: readonly (readonly [string, Readonly<Record<string, string>>, readonly Transport[]])[] = [
  ['in the clear', {}, ['http1']],
  ['with TLS', TLS_ENVIRONMENT, ['tls', 'http2']],
];

const QUESTIONS: readonly (readonly [string, string, Question])[] = [
  ['GET', `${HISTORY}?match=urn:large`, {}],
  ['QUERY', HISTORY, { method: 'QUERY', headers: FORM, body: 'match=urn:large' }],
];

/** How many bytes come until there are no more. */
async function rest(body: Readable): Promise<number> {
  let taken = 0;
  body.on('data', ({ length }: Buffer) => (taken += length));
  // One that was broken off tells of an error before.
  if (!body.closed) await new Promise((resolve) => body.once('close', resolve));
  return taken;
}

function codeOf({ status, headers, body }: Answer): readonly unknown[] {
  return [status, (JSON.parse(body) as { code?: string }).code, Number(headers['retry-after']) > 0];
}

const REFUSED = [503, 'overloaded', true];

describe.each(LISTENERS)('a long page of the history %s', (_, env, transports) => {
  let herald: Herald;

  beforeAll(async () => {
    const own = { HERALD_MAX_BODY: '32mb', HERALD_WRITE_TIMEOUT: '1s' };
    herald = await startHerald({ env: { ...HUB_ENVIRONMENT, ...own, ...env }, nodeArguments: HEAP });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:large', data: 'x'.repeat(LARGE) });
    await publisher.publish({ topic: 'urn:small', data: 'small' });
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  /** Asks until there is room for the answer. */
  async function untilGiven(asker: Asker, path: string, question: Question): Promise<BegunAnswer> {
    for (;;) {
      const answer = await asker.begin(path, question);
      if (answer.status !== 503) return answer;
      await rest(answer.body);
    }
  }

  const ways = transports.flatMap((transport) =>
    QUESTIONS.map(([method, path, question]) => [transport, method, path, question] as const),
  );

  it.each(ways)('is given up where its client takes nothing, over %s by %s', async (transport, __, path, question) => {
    using stalled = new Asker(transport, herald);
    using other = new Asker(transport, herald);
    const held = await untilGiven(stalled, path, question);
    expect(codeOf(await other.ask(path, question))).toEqual(REFUSED);
    expect((await other.ask(`${HISTORY}?match=urn:small`)).status).toBe(200);
    const next = await untilGiven(other, path, question);
    expect([held.status, next.status]).toEqual([200, 200]);
    expect(await rest(held.body)).toBeLessThan(LARGE);
    expect(await rest(next.body)).toBeGreaterThan(LARGE);
  });

  it.each(ways)('makes room when its client leaves, over %s by %s', async (transport, __, path, question) => {
    using leaving = new Asker(transport, herald);
    const left = await untilGiven(leaving, path, question);
    await once(left.body, 'data');
    left.body.destroy();
    using other = new Asker(transport, herald);
    const next = await untilGiven(other, path, question);
    expect(await rest(next.body)).toBeGreaterThan(LARGE);
    expect(herald.logLines().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});

describeWith(redisServer, 'questions that wait for the history', (program) => {
  let redis: RedisServer;
  let herald: Herald;

  beforeAll(async () => {
    redis = await RedisServer.start(program, { configuration: ['appendfsync no'] });
    herald = await startHub({ HERALD_JOURNAL: redis.url, ...TLS_ENVIRONMENT });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:t', data: 'x' });
  });
  afterAll(async () => {
    await herald[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  /** As long a form as there may be. */
  const longest = 'match=urn:t&'.padEnd(HUB_LIMITS.subscribeBytes, 'x');

  it.each<readonly [string, number, Question & { readonly path: string }]>([
    ['many', HUB_LIMITS.history.waiting, { path: `${HISTORY}?match=urn:t` }],
    [
      'long',
      Math.floor(HUB_LIMITS.history.waitingBytes / HUB_LIMITS.subscribeBytes),
      { path: HISTORY, method: 'QUERY', headers: FORM, body: longest },
    ],
  ])(
    'are refused where they are too %s, and given again once the others are over',
    async (_, most, { path, ...question }) => {
      using asker = new Asker('http2', herald);
      // A connection has no room for one more than a thousand.
      using other = new Asker('http2', herald);
      // A journal that does not answer has them wait for as long as it takes to ask.
      redis.freeze();
      const asked: Promise<Answer>[] = [];
      for (let count = 0; count < most; count += 1) asked.push(asker.ask(path, question));
      asked.push(other.ask(path, question));
      const first = await Promise.race(asked);
      expect(codeOf(first)).toEqual(REFUSED);
      redis.thaw();
      const answers = await Promise.all(asked);
      expect(answers.filter(({ body }) => body.includes('"overloaded"'))).toHaveLength(1);
      for (let status = 503; status !== 200;) {
        ({ status } = await asker.ask(path, question));
        expect([200, 503]).toContain(status);
      }
    },
  );
});
