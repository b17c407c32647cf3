import { expect, it } from '@jest/globals';
import { textOf } from '../support/event-stream.js';
import { Publisher, startHub, subscribe } from '../support/hub.js';
import { INTERNAL, internalUrlOf } from '../support/metrics.js';
import { describeWith, prometheus } from '../support/programs.js';
import { Prometheus } from '../support/prometheus.js';

describeWith(prometheus, 'Prometheus', (program) => {
  it('scrapes a hub under load, and has of it what the load did', async () => {
    await using herald = await startHub({ ...INTERNAL, HERALD_MAX_BODY: '64kb' });
    await using watching = await Prometheus.start(program, new URL(await internalUrlOf(herald)).host);
    await watching.until('up{job="herald"}', 1);
    using publisher = await Publisher.of(herald);
    const streams = await Promise.all(
      Array.from({ length: 50 }, (_, index) => subscribe(herald, { query: `match=urn:${index % 5}` })),
    );
    for (let round = 0; round < 40; round += 1) {
      const batch = Array.from({ length: 25 }, (_, index) => ({ topic: `urn:${index % 5}`, data: `${round}` }));
      await publisher.publishAll(batch);
    }
    await Promise.all(streams.map((stream) => stream.until(({ events }) => events.length === 200)));
    const refused = await Promise.all(Array.from({ length: 30 }, () => publisher.post('data=no-topic').then(textOf)));
    await watching.until('herald_publications_total{outcome="stored"}', 1_000);
    await watching.until('herald_deliveries_total', 10_000);
    await watching.until('herald_publish_socket_seconds_count', 10_000);
    await watching.until('sum(herald_subscribers)', 50);
    await watching.until('sum(herald_refusals_total)', refused.length);
    await watching.until('herald_streams_opened_total', 50);
    expect(await watching.query('histogram_quantile(0.99, herald_publish_stored_seconds_bucket)')).toBeGreaterThan(0);
    expect(await watching.query('process_open_fds')).toBeGreaterThan(50);
    expect(await watching.query('herald_build_info')).toBe(1);
    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
    await watching.until('herald_streams_ended_total{reason="disconnected"}', 50);
    await watching.until('herald_streams_open', 0);
  });
});
