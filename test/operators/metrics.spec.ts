import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { describeEngines } from '../support/engines.js';
import { form, HUB, Publisher, startHub, subscribe, subscriberToken, TLS_ENVIRONMENT } from '../support/hub.js';
import { send, textOf } from '../support/event-stream.js';
import { INTERNAL, internalUrlOf, Scrape, scrape, scrapeUntil } from '../support/metrics.js';
import { describeWith, promtool } from '../support/programs.js';
import { subscribeOver, transportsAt } from '../support/transports.js';

const QUIET = { ...INTERNAL, HERALD_HEARTBEAT: '0' };

describeEngines((engine, open) => {
  describe(`metrics of a hub on ${engine}`, () => {
    for (const env of [{}, TLS_ENVIRONMENT]) {
      const kind = 'HERALD_TLS_CERT_FILE' in env ? 'TLS and HTTP/2' : 'plain HTTP';
      it(`count what was published and delivered over ${kind}`, async () => {
        const place = await open();
        try {
          await using herald = await startHub({ ...QUIET, ...env, HERALD_JOURNAL: place.url });
          using publisher = await Publisher.of(herald);
          const transports = transportsAt(herald.url);
          const clients = await Promise.all(
            Array.from({ length: 6 }, (_, index) =>
              subscribeOver(transports[index % transports.length] ?? 'http1', herald, `${HUB}?match=urn:${index % 2}`),
            ),
          );
          await Promise.all(clients.map((client) => client.until(({ hasBegun }) => hasBegun)));
          for (let index = 0; index < 20; index += 1) {
            await publisher.publish({ topic: `urn:${index % 2}`, data: 'x'.repeat(100) });
          }
          await Promise.all(clients.map((client) => client.until(({ events }) => events.length === 10)));
          const seen = await scrape(herald);
          expect(seen.value('herald_publications_total{outcome="stored"}')).toBe(20);
          expect(seen.value('herald_publish_stored_seconds_count')).toBe(20);
          expect(seen.value('herald_deliveries_total')).toBe(60);
          expect(seen.value('herald_publish_socket_seconds_count')).toBe(60);
          expect(seen.value('herald_publish_socket_seconds_bucket{le="+Inf"}')).toBe(60);
          const writes = seen.value('herald_delivery_writes_total');
          expect(writes > 0 && writes <= 60).toBe(true);
          expect(seen.value('herald_delivery_bytes_total')).toBeGreaterThan(60 * 100);
          expect(seen.value('herald_subscribers{state="live"}')).toBe(6);
          expect(seen.value('herald_streams_open')).toBe(6);
          expect(seen.value('herald_cohorts')).toBe(2);
          expect(seen.value('herald_recent_log_entries')).toBe(20);
          expect(seen.value('herald_journal_head')).toBeGreaterThanOrEqual(20);
          expect(seen.text).toContain(`journal="${engine.toLowerCase()}"`);
          if (engine !== 'Redis') expect(seen.value('herald_journal_updates')).toBe(20);
          await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
          const after = await scrapeUntil(herald, (one) => one.value('herald_streams_open') === 0);
          expect(after.value('herald_streams_ended_total{reason="disconnected"}')).toBe(6);
          expect(after.value('herald_subscribers{state="live"}')).toBe(0);
          expect(after.value('herald_cohorts')).toBe(0);
        } finally {
          await place.close();
        }
      });
    }

    it('count replays, and gaps by reason', async () => {
      const place = await open();
      try {
        await using herald = await startHub({ ...QUIET, HERALD_JOURNAL: place.url, HERALD_RETAIN_EVENTS: '10' });
        using publisher = await Publisher.of(herald);
        const ids: string[] = [];
        for (let index = 0; index < 20; index += 1) ids.push(await publisher.publish({ topic: 'urn:a', data: '1' }));
        await using resumed = await subscribe(herald, { query: `match=urn:a&last_event_id=${ids[14]}` });
        await using lost = await subscribe(herald, { query: 'match=urn:a&last_event_id=urn:unknown' });
        await resumed.until(({ events }) => events.length === 6);
        await lost.until(({ events }) => events.length === 12);
        const seen = await scrape(herald);
        expect(seen.value('herald_replay_seconds_count')).toBe(2);
        expect(seen.value('herald_gaps_total{reason="not-held"}')).toBe(1);
        expect(seen.value('herald_gaps_total{reason="trimmed"}')).toBe(0);
        expect(seen.value('herald_deliveries_total')).toBe(15);
      } finally {
        await place.close();
      }
    });
  });
});

describe('metrics', () => {
  it('tell who is behind and by how much, and what is held for it', async () => {
    await using herald = await startHub({ ...QUIET, HERALD_WRITE_TIMEOUT: '1h' });
    using publisher = await Publisher.of(herald);
    await using stalled = await subscribeOver('http1', herald, `${HUB}?match=urn:a`);
    await stalled.until(({ hasBegun }) => hasBegun);
    stalled.stall();
    const large = 'x'.repeat(500_000);
    let published = 0;
    const isBehind = (one: Scrape): boolean => one.value('herald_subscribers{state="behind"}') === 1;
    for (let seen = await scrape(herald); !isBehind(seen) && published < 60; seen = await scrape(herald)) {
      await publisher.publish({ topic: 'urn:a', data: large });
      published += 1;
    }
    for (let index = 0; index < 7; index += 1) await publisher.publish({ topic: 'urn:a', data: 'small' });
    const seen = await scrape(herald);
    const owed = seen.value('herald_behind_positions_max');
    expect(owed >= 7 && owed <= 7 + published).toBe(true);
    expect(seen.value('herald_behind_positions')).toBe(owed);
    expect(seen.value('herald_outstanding_bytes')).toBeGreaterThan(0);
    stalled.read();
    await stalled.until(({ events }) => events.length === published + 7);
    const after = await scrapeUntil(herald, (one) => one.value('herald_subscribers{state="live"}') === 1);
    expect(after.value('herald_behind_positions_max')).toBe(0);
    expect(after.value('herald_deliveries_total')).toBe(published + 7);
  });

  it('count refusals by code, refused publications and refused streams', async () => {
    await using herald = await startHub({ ...QUIET, HERALD_MAX_CONNECTIONS: '1', HERALD_PUBLISH_RATE: '1' });
    using publisher = await Publisher.of(herald);
    await textOf(await send(`${herald.url}${HUB}`));
    await textOf(await publisher.post('data=no-topic'));
    await textOf(await send(`${herald.url}${HUB}`, { method: 'POST' }));
    await textOf(await send(`${herald.url}/nothing`));
    for (let index = 0; index < 5; index += 1) await textOf(await publisher.post(form({ topic: 'urn:a', data: '1' })));
    await using first = await subscribe(herald, { query: 'match=*' });
    await using second = await subscribe(herald, { query: 'match=*' });
    await second.until(({ events }) => events.length > 0);
    const seen = await scrape(herald);
    expect(seen.value('herald_refusals_total{code="matcher-missing"}')).toBe(1);
    expect(seen.value('herald_refusals_total{code="unauthorized"}')).toBe(1);
    expect(seen.value('herald_refusals_total{code="not-found"}')).toBe(1);
    expect(seen.value('herald_refusals_total{code="rate-limited"}')).toBeGreaterThan(0);
    expect(seen.value('herald_publications_total{outcome="refused"}')).toBeGreaterThan(0);
    expect(seen.value('herald_streams_refused_total{reason="overloaded"}')).toBe(1);
    expect(seen.value('herald_streams_limit')).toBe(1);
    expect(seen.value('herald_streams_opened_total')).toBe(1);
    expect(first.response.closed).toBe(false);
  });

  it('have the same series whoever comes, and whatever is published', async () => {
    await using herald = await startHub(QUIET);
    const before = await scrape(herald);
    using publisher = await Publisher.of(herald);
    for (let index = 0; index < 50; index += 1) {
      const token = await subscriberToken({ subject: `somebody-${index}` });
      await using stream = await subscribe(herald, {
        query: `match=urn:secret-${index}`,
        headers: { authorization: `Bearer ${token}` },
      });
      await publisher.publish({ topic: `urn:secret-${index}`, data: 'x', type: `type-${index}` });
      await stream.until(({ events }) => events.length === 1);
      await textOf(await send(`${herald.url}/no-such-path-${index}`));
    }
    const after = await scrape(herald);
    // What Node tells of its own resources depends on what it does at the moment.
    const stable = ({ series }: Scrape): string[] => series.filter((name) => !/^nodejs_(active|gc)/.test(name));
    expect(stable(after)).toEqual(stable(before));
    expect(after.text).not.toMatch(/secret|somebody|no-such-path|type-1|127\.0\.0\.1/);
    expect(after.series.length).toBeLessThan(400);
  });

  it('come as OpenMetrics where the scraper takes it, with the same values', async () => {
    await using herald = await startHub(QUIET);
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:a', data: '1' });
    const url = `${await internalUrlOf(herald)}/metrics`;
    const open = await Scrape.of(url, { accept: 'application/openmetrics-text; version=1.0.0,text/plain;q=0.5' });
    expect(open.text).toMatch(/# TYPE herald_publications counter\n[\s\S]*# EOF\n$/);
    const classic = await Scrape.of(url);
    expect(classic.text).toMatch(/# TYPE herald_publications_total counter\n/);
    const stored = 'herald_publications_total{outcome="stored"}';
    expect([open.value(stored), classic.value(stored)]).toEqual([1, 1]);
  });
});

describeWith(promtool, 'promtool', (program) => {
  it('finds nothing wrong with the names, types and texts of the metrics', async () => {
    await using herald = await startHub(QUIET);
    const { text } = await scrape(herald);
    const { status, stdout, stderr } = spawnSync(program, ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect([status, stdout + stderr]).toEqual([0, '']);
  });
});

describe('docs/metrics.md', () => {
  it('has every metric of the hub, with its type and what it says, and no other', async () => {
    await using herald = await startHub(QUIET);
    const { text } = await scrape(herald);
    const told = [...text.matchAll(/^# HELP (herald_\w+) (.*)\n# TYPE \w+ (\w+)$/gm)].map(([, ...one]) => one);
    const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(herald_\w+)`\s*\| (\w+)\s*\|[^|]*\| (.*?)\s*\|$/gm)];
    expect(rows.map(([, name, type, help]) => [name, help, type])).toEqual(told);
  });
});
