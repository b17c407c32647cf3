import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BatchClient } from '../support/batch-client.js';
import { describeEngines, type JournalPlace } from '../support/engines.js';
import type { Herald } from '../support/herald.js';
import { heldUpdates, HUB, publisherToken, startHub, subscribe, TLS_ENVIRONMENT, updatesOf } from '../support/hub.js';
import { type Transport, TRANSPORTS } from '../support/transports.js';
import { Upload } from '../support/upload.js';

const LINE_LIMIT = 64 * 1024;

const NDJSON = 'application/x-ndjson';

let topics = 0;

/** A topic that no other test has. */
function newTopic(): string {
  topics += 1;
  return `urn:batch:${topics}`;
}

async function authorization(): Promise<string> {
  return `Bearer ${await publisherToken()}`;
}

describeEngines((engine, open) => {
  describe(`a batch on ${engine}`, () => {
    const places: JournalPlace[] = [];
    const hubs = new Map<Transport, Herald>();

    async function start(env: Readonly<Record<string, string>>): Promise<Herald> {
      const place = await open();
      places.push(place);
      return startHub({ HERALD_JOURNAL: place.url, HERALD_MAX_BODY: '64kb', ...env });
    }

    beforeAll(async () => {
      const [plain, secure] = await Promise.all([start({}), start(TLS_ENVIRONMENT)]);
      for (const transport of TRANSPORTS) hubs.set(transport, transport === 'http1' ? plain : secure);
    });
    afterAll(async () => {
      for (const hub of new Set(hubs.values())) await hub[Symbol.asyncDispose]();
      for (const place of places) await place.close();
    });

    function hubOf(transport: Transport): Herald {
      const hub = hubs.get(transport);
      if (!hub) throw new Error('no hub was started');
      return hub;
    }

    describe.each(TRANSPORTS)('over %s', (transport) => {
      it('answers each line while the body goes on', async () => {
        const topic = newTopic();
        await using stream = await subscribe(hubOf(transport), { query: `match=${topic}` });
        await using batch = await BatchClient.begin(transport, hubOf(transport));
        expect(await batch.head()).toBe(200);
        for (let number = 0; number < 20; number += 1) {
          batch.write({ topic, data: String(number), id: `${topic}:${number}` });
          expect(await batch.answerTo(number)).toEqual({ id: `${topic}:${number}` });
          // It is stored by then, and readers have it while the batch is open.
          await stream.take(number + 1);
        }
        batch.finish();
        await batch.ended();
        expect([batch.isComplete, batch.end, batch.answers.length]).toEqual([true, undefined, 20]);
      });

      it('keeps the order of lines and answers, and of a refused line says why', async () => {
        const topic = newTopic();
        const hub = hubOf(transport);
        await using stream = await subscribe(hub, { query: `match=${topic}` });
        await using batch = await BatchClient.begin(transport, hub);
        const isGood = (number: number): boolean => number % 7 !== 3;
        const lines = Array.from({ length: 1_500 }, (_, number) => ({
          topic: isGood(number) ? topic : '*',
          data: String(number),
          id: `${topic}:${number}`,
        }));
        batch.write(...lines);
        batch.finish();
        await batch.ended();
        expect(batch.answers.map(({ id, error }) => id ?? error?.code)).toEqual(
          lines.map(({ id }, number) => (isGood(number) ? id : 'topic-reserved')),
        );
        const good = lines.filter((_, number) => isGood(number)).map(({ id }) => id);
        await stream.take(good.length);
        expect(updatesOf(stream).map(({ id }) => id)).toEqual(good);
      });

      it('refuses what is no update and a line that is too long, and reads on', async () => {
        const topic = newTopic();
        await using batch = await BatchClient.begin(transport, hubOf(transport));
        const long = JSON.stringify({ topic, data: 'x'.repeat(LINE_LIMIT) });
        // None of it is an update but the last.
        batch.writeText(`{\n[]\n\r\n\xff\n${long}\r\n${long.slice(0, LINE_LIMIT + 1)}`);
        batch.writeText(`${long}\n{"topic":"${topic}","key":""}\n{"topic":"${topic}","id":"${topic}:good"}`);
        batch.finish();
        await batch.ended();
        expect(batch.answers.map(({ id, error }) => id ?? error?.code)).toEqual([
          'batch-line-invalid',
          'batch-line-invalid',
          'batch-line-invalid',
          'body-too-large',
          'body-too-large',
          'idempotency-key-invalid',
          `${topic}:good`,
        ]);
      });

      it('stores an update with a key once, also after a broken connection', async () => {
        const topic = newTopic();
        const hub = hubOf(transport);
        await using stream = await subscribe(hub, { query: `match=${topic}` });
        await using broken = await BatchClient.begin(transport, hub);
        const one = { topic, data: 'one', key: `${topic}:one` };
        broken.write(one, one, { ...one, data: 'other' });
        const answers = [await broken.answerTo(0), await broken.answerTo(1), await broken.answerTo(2)];
        expect(answers.map(({ id, error }) => error?.code ?? id)).toEqual([
          answers[0]?.id,
          answers[0]?.id,
          'idempotency-key-conflict',
        ]);
        await broken.leave();
        await using batch = await BatchClient.begin(transport, hub);
        batch.write(one, { topic, data: 'two' });
        batch.finish();
        await batch.ended();
        expect(batch.answers[0]).toEqual(answers[0]);
        expect((await stream.take(2)).map(({ data }) => data)).toEqual(['one', 'two']);
      });

      it('may be longer than other bodies', async () => {
        const topic = newTopic();
        const lines = Array.from({ length: 100 }, () => JSON.stringify({ topic, data: 'x'.repeat(2_000) }));
        const body = lines.join('\n');
        const headers = {
          'content-type': NDJSON,
          'content-length': String(body.length),
          authorization: await authorization(),
        };
        await using batch = await BatchClient.begin(transport, hubOf(transport), { headers });
        batch.finish(body);
        await batch.ended();
        expect(batch.ids.filter((id) => id !== undefined)).toHaveLength(100);
      });

      it('is refused before its body is read where the request is wrong', async () => {
        const hub = hubOf(transport);
        const good = { 'content-type': NDJSON, authorization: await authorization() };
        const { authorization: _, ...anonymous } = good;
        const wrong: readonly [Readonly<Record<string, string>>, number, string][] = [
          [{ ...good, 'idempotency-key': 'one' }, 400, 'idempotency-key-invalid'],
          [{ ...good, 'content-type': 'application/json' }, 415, 'media-type-unsupported'],
          [anonymous, 401, 'unauthorized'],
        ];
        for (const [headers, status, code] of wrong) {
          await using upload = Upload.begin(transport, hub, { path: `${HUB}/batch`, headers });
          const answer = await upload.answer;
          expect([answer.status, (JSON.parse(answer.body) as { code: string }).code]).toEqual([status, code]);
        }
      });

      it('of a client that leaves keeps what was answered, and goes no further', async () => {
        const topic = newTopic();
        const hub = hubOf(transport);
        await using batch = await BatchClient.begin(transport, hub);
        batch.write({ topic, data: 'answered', id: `${topic}:1` });
        await batch.answerTo(0);
        batch.writeText(`{"topic":"${topic}","data":"half`);
        await batch.leave();
        expect((await heldUpdates(hub, topic)).map(({ data }) => data)).toEqual(['answered']);
      });
    });
  });
});
