import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Collector, type CollectedSpan } from '../support/collector.js';
import { describeEngines, type JournalPlace } from '../support/engines.js';
import { textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { form, HUB, Publisher, publisherToken, startHub, subscribe, updatesOf } from '../support/hub.js';
import { INTERNAL, scrape, scrapeUntil } from '../support/metrics.js';
import { describeWith, redisServer } from '../support/programs.js';
import { freePort, RedisServer } from '../support/redis.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SAMPLED = `00-${TRACE}-${PARENT}-01`;
const NOT_SAMPLED = `00-${TRACE}-${PARENT}-00`;

function traceparentOf({ traceId, spanId }: CollectedSpan): string {
  return `00-${traceId}-${spanId}-01`;
}

/** The values of the lines that name a trace. */
function namedIn({ text }: { readonly text: string }): string[] {
  return [...text.matchAll(/^traceparent: (.*)$/gm)].map(([, value = '']) => value);
}

describeEngines((engine, open) => {
  describe(`the traces of a hub with ${engine}`, () => {
    let place: JournalPlace;
    let collector: Collector;
    let herald: Herald;
    let publisher: Publisher;
    beforeEach(async () => {
      place = await open();
      collector = await Collector.start();
      herald = await startHub({ HERALD_JOURNAL: place.url, ...collector.env });
      publisher = await Publisher.of(herald);
    });
    afterEach(async () => {
      publisher[Symbol.dispose]();
      await herald[Symbol.asyncDispose]();
      await collector[Symbol.asyncDispose]();
      await place.close();
    });

    it('go from the publication over the journal to the sockets, below the span of the publisher', async () => {
      const pattern = encodeURIComponent('urn\\:*');
      await using live = await subscribe(herald, { query: 'match=urn:a&with=trace' });
      await using same = await subscribe(herald, { query: 'match=urn:a&with=trace' });
      await using other = await subscribe(herald, { query: `match_urlpattern=${pattern}&with=trace` });
      const id = await publisher.publish(
        { topic: 'urn:a', data: 'äx', private: 'on' },
        { traceparent: SAMPLED, tracestate: 'vendor=1' },
      );
      await publisher.publish({ topic: 'urn:a', data: '2' }, { traceparent: SAMPLED, tracestate: 'vendor=1' });
      await Promise.all([live, same, other].map((stream) => stream.until(({ events }) => events.length > 0)));
      const publications = await collector.take('publish', 2);
      const [appended] = await collector.take('journal append', 2);
      const fannedOut = await collector.take('fan-out', 2);

      expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
      const [first, second] = publications;
      expect(first).toMatchObject({
        parentSpanId: PARENT,
        kind: 4,
        traceState: 'vendor=1',
        attributes: {
          'messaging.system': 'herald',
          'messaging.operation.name': 'publish',
          'messaging.message.id': id,
          'messaging.message.body.size': 3,
          'herald.outcome': 'stored',
        },
        resource: { 'service.name': 'herald' },
      });
      expect(appended).toMatchObject({ parentSpanId: first?.spanId, kind: 1 });
      // Nobody may read the first one.
      expect(fannedOut[0]).toMatchObject({
        parentSpanId: first?.spanId,
        attributes: { 'messaging.message.id': id, 'herald.cohorts': 0, 'herald.deliveries': 0 },
      });
      expect(fannedOut[1]).toMatchObject({
        parentSpanId: second?.spanId,
        attributes: { 'herald.cohorts': 2, 'herald.deliveries': 3 },
      });
      expect([live, same, other].map((stream) => namedIn(stream))).toEqual(
        Array.from({ length: 3 }, () => [second && traceparentOf(second)]),
      );
      // Topics may be private.
      expect(JSON.stringify(collector.spans)).not.toContain('urn:a');
    });

    it('begin with the hub where the publisher is in none, and are found again in the log', async () => {
      await publisher.publish({ topic: 'urn:a', data: '1' }, { traceparent: 'nonsense' });
      const [published] = await collector.take('publish');
      expect(published?.parentSpanId ?? '').toBe('');
      await using late = await subscribe(herald, { query: 'match=urn:a&with=trace&last_event_id=earliest' });
      await late.until((stream) => updatesOf(stream).length === 1);
      expect(namedIn(late)).toEqual([published && traceparentOf(published)]);
    });

    it('are not told where the publisher does not record them, but given on', async () => {
      await using live = await subscribe(herald, { query: 'match=urn:a&with=trace' });
      await publisher.publish({ topic: 'urn:a', data: '1' }, { traceparent: NOT_SAMPLED });
      await publisher.publish({ topic: 'urn:a', data: '2' });
      await live.until((stream) => updatesOf(stream).length === 2);
      // By then everything of the first one would have come as well.
      await collector.take('fan-out');
      expect(collector.named('publish')).toHaveLength(1);
      expect(collector.spans.filter(({ traceId }) => traceId === TRACE)).toEqual([]);
      expect(namedIn(live)[0]).toBe(NOT_SAMPLED);
    });

    it('of a batch have a span for all of it, and one for each line, in its own trace where it names one', async () => {
      const own = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
      const lines = [
        { topic: 'urn:a', data: '1' },
        { topic: 'urn:a', data: '2', traceparent: own },
        { topic: 'urn:a', data: '3', traceparent: 4 },
        { topic: '*', data: '4' },
      ];
      const body = lines.map((line) => JSON.stringify(line)).join('\n');
      const headers = { 'content-type': 'application/x-ndjson', traceparent: SAMPLED };
      const response = await publisher.post(body, headers, `${HUB}/batch`);
      expect((await textOf(response)).split('\n').map((line) => line.slice(0, 8))).toEqual([
        ...Array.from({ length: 3 }, () => '{"id":"u'),
        '{"error"',
        '',
      ]);
      const [batch] = await collector.take('publish batch');
      const published = await collector.take('publish', 4);
      expect(batch).toMatchObject({
        parentSpanId: PARENT,
        kind: 2,
        attributes: { 'messaging.batch.message_count': 4 },
      });
      const parents = published.map(({ parentSpanId }) => parentSpanId);
      expect(parents.filter((parent) => parent === batch?.spanId)).toHaveLength(3);
      expect(parents).toContain('2'.repeat(16));
      const ofItsOwn = published.find(({ traceId }) => traceId === '1'.repeat(32));
      expect(ofItsOwn?.links?.map(({ spanId }) => spanId)).toEqual([batch?.spanId]);
      const refused = published.find(({ attributes }) => attributes['herald.outcome'] === 'refused');
      expect(refused).toMatchObject({ attributes: { 'error.type': 'topic-reserved' } });
      expect(refused?.status?.code ?? 0).toBe(0);
    });
  });
});

describe('the traces of several processes', () => {
  describeWith(redisServer, 'Redis', (program) => {
    let redis: RedisServer;
    beforeAll(async () => {
      redis = await RedisServer.start(program, { configuration: ['appendfsync no'] });
    });
    afterAll(() => redis[Symbol.asyncDispose]());

    it('are one: each process tells how it gives the update to its readers', async () => {
      await using collector = await Collector.start();
      const env = { HERALD_JOURNAL: redis.url, ...collector.env };
      await using one = await startHub({ ...env, OTEL_SERVICE_NAME: 'one' });
      await using two = await startHub({ ...env, OTEL_SERVICE_NAME: 'two' });
      await using away = await subscribe(two, { query: 'match=urn:a' });
      using publisher = await Publisher.of(one);
      await publisher.publish({ topic: 'urn:a', data: '1' }, { traceparent: SAMPLED });
      await away.until((stream) => updatesOf(stream).length === 1);
      const [published] = await collector.take('publish');
      const fannedOut = await collector.take('fan-out', 2);

      const seen = fannedOut.map(({ resource, traceId, parentSpanId, attributes }) => [
        resource['service.name'],
        traceId,
        parentSpanId,
        attributes['herald.deliveries'],
      ]);
      expect(seen).toContainEqual(['one', TRACE, published?.spanId, 0]);
      expect(seen).toContainEqual(['two', TRACE, published?.spanId, 1]);
    });
  });
});

describe('the collector of traces', () => {
  it('is told its headers, which may come from a file, and they are in no log', async () => {
    await using collector = await Collector.start();
    await using herald = await startHub({
      HERALD_TRACES: 'true',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${collector.port}/a/path?with=a-query`,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20the-secret,x-other=1',
      OTEL_SERVICE_NAME: 'hub-7',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test,service.name=not-this-one',
      LOG_LEVEL: 'trace',
    });
    using publisher = await Publisher.of(herald);
    collector.status = 401;
    await publisher.publish({ topic: 'urn:a', data: '1' });
    await herald.waitForLog(/Sending traces to their collector has failed/);
    collector.status = 200;
    await publisher.publish({ topic: 'urn:a', data: '2' });
    const [published] = await collector.take('publish');
    await herald.waitForLog(/Sending traces to their collector works again/);

    expect(published?.resource).toMatchObject({ 'service.name': 'hub-7', 'deployment.environment': 'test' });
    expect(collector.requests[0]?.url).toBe('/a/path?with=a-query');
    expect(collector.requests[0]?.headers).toMatchObject({ authorization: 'Bearer the-secret', 'x-other': '1' });
    expect(herald.logs()).not.toContain('the-secret');
    expect(herald.logs()).not.toContain('of the collector');
  });

  it('may be away: publishing goes on as fast, one line tells of it, and no more than so many spans are held', async () => {
    const port = await freePort();
    await using herald = await startHub({
      HERALD_TRACES: 'true',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
      ...INTERNAL,
    });
    using publisher = await Publisher.of(herald);
    const lines = Array.from({ length: 1_000 }, (_, index) => ({ topic: 'urn:a', data: String(index) }));
    const dropped = 'herald_trace_spans_total{outcome="dropped"}';
    // Each publication has three spans, and some hundred are given up in a second.
    for (let round = 0; round < 20 && (await scrape(herald)).value(dropped) === 0; round += 1) {
      await publisher.publishAll(lines);
    }
    expect((await scrape(herald)).value(dropped)).toBeGreaterThan(0);
    await using live = await subscribe(herald, { query: 'match=urn:a' });
    await publisher.publish({ topic: 'urn:a', data: 'x' });
    await live.until((stream) => updatesOf(stream).length === 1);
    await scrapeUntil(herald, (seen) => seen.value('herald_trace_spans_total{outcome="failed"}') > 0);
    await herald.waitForLog(/Sending traces to their collector has failed/);
    const begun = performance.now();
    expect(await herald.kill()).toEqual({ code: 0, signal: null });
    expect(performance.now() - begun).toBeLessThan(10_000);
    const told = herald.logLines().filter(({ msg }) => String(msg).startsWith('Sending traces'));
    // Not one for each batch, but one for each reason: it may be refused, or too slow.
    expect(told.length).toBe(new Set(told.map(({ err }) => JSON.stringify(err))).size);
  });

  it('gets what has ended when the process ends', async () => {
    await using collector = await Collector.start();
    await using herald = await startHub(collector.env);
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:a', data: '1' });
    expect(collector.spans).toEqual([]);
    expect(await herald.kill()).toEqual({ code: 0, signal: null });
    expect(collector.spans.map(({ name }) => name).toSorted()).toEqual(['fan-out', 'journal append', 'publish']);
  });
});

/** The scripts that a process has run until its end, by V8's own account. */
async function scriptsOf(env: Readonly<Record<string, string>>): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'herald-scripts-'));
  try {
    await using herald = await startHub({ ...env, NODE_V8_COVERAGE: directory });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:a', data: '1' }, { traceparent: SAMPLED });
    await herald.kill();
    const [file = ''] = await readdir(directory);
    const { result } = JSON.parse(await readFile(join(directory, file), 'utf8')) as { result: { url: string }[] };
    return result.flatMap(({ url }) => (url.startsWith('file:') ? [fileURLToPath(url)] : []));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Those of them that have OpenTelemetry's SDK or its exporter in them. */
async function openTelemetryIn(scripts: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(scripts.map((script) => readFile(script, 'utf8')));
  return scripts.filter(
    (script, index) =>
      /node_modules.@opentelemetry.(?!api)/.test(script) ||
      /\b(BatchSpanProcessorBase|OTLPExporterError)\b/.test(texts[index] ?? ''),
  );
}

describe('OpenTelemetry', () => {
  it('is not even loaded while traces are off, and is loaded where they are on', async () => {
    await using collector = await Collector.start();
    const [off, on] = await Promise.all([
      scriptsOf({ ...collector.env, HERALD_TRACES: 'false' }),
      scriptsOf(collector.env),
    ]);
    expect(off.length).toBeGreaterThan(20);
    expect(await openTelemetryIn(off)).toEqual([]);
    expect((await openTelemetryIn(on)).length).toBeGreaterThan(0);
  });
});

describe('sampling', () => {
  it.each([
    [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, [TRACE]],
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, []],
    [{ OTEL_SDK_DISABLED: 'true' }, []],
    [{ OTEL_TRACES_EXPORTER: 'none' }, []],
    [{ HERALD_TRACES: 'false' }, []],
    [{ HERALD_TRACES: '' }, []],
  ])('by %j', async (settings, traces) => {
    await using collector = await Collector.start();
    await using herald = await startHub({ ...collector.env, ...settings });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:a', data: '1' });
    await publisher.publish({ topic: 'urn:a', data: '2' }, { traceparent: SAMPLED });
    await herald.kill();
    expect(collector.named('publish').map(({ traceId }) => traceId)).toEqual(traces);
    if (traces.length === 0) expect(collector.requests).toEqual([]);
  });

  it('is not decided by a form, and a hub without traces passes on what the publisher says', async () => {
    await using herald = await startHub();
    const token = await publisherToken();
    const publish = async (type: string, body: string, traceparent: string): Promise<void> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': type, traceparent };
      const response = await fetch(`${herald.url}${HUB}`, { method: 'POST', headers, body });
      expect(response.status).toBe(200);
    };
    const own = SAMPLED.replace(PARENT, '1'.repeat(16));
    await publish('application/x-www-form-urlencoded', form({ topic: 'urn:a', traceparent: own }), SAMPLED);
    await publish('application/json', JSON.stringify({ topic: 'urn:a' }), NOT_SAMPLED);
    await publish('application/json', JSON.stringify({ topic: 'urn:a', traceparent: own }), SAMPLED);
    await publish('application/json', JSON.stringify({ topic: 'urn:a' }), `${SAMPLED}, ${SAMPLED}`);
    const held = await fetch(`${herald.url}${HUB}/history?match=urn:a&order=asc`);
    const updates = (await held.json()) as { traceparent?: string }[];
    expect(updates.map(({ traceparent }) => traceparent)).toEqual([SAMPLED, NOT_SAMPLED, own, undefined]);
  });
});
