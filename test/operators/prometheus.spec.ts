import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { send, textOf } from '../support/event-stream.js';
import { Publisher, startHub, subscribe } from '../support/hub.js';
import { INTERNAL, internalUrlOf } from '../support/metrics.js';
import { describeWith, prometheus } from '../support/programs.js';

const SCRAPES = 'scrape_interval: 200ms\n    scrape_timeout: 200ms';

/** A real Prometheus that scrapes one address. */
class Prometheus implements AsyncDisposable {
  private constructor(
    private readonly url: string,
    private readonly stop: () => Promise<void>,
  ) {}

  static async start(program: string, target: string): Promise<Prometheus> {
    const directory = await mkdtemp(join(tmpdir(), 'herald-prometheus-'));
    const file = join(directory, 'prometheus.yml');
    const job = `- job_name: herald\n    ${SCRAPES}\n    static_configs: [{ targets: ['${target}'] }]`;
    await writeFile(file, `scrape_configs:\n  ${job}\n`);
    const child = spawn(
      program,
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${directory}/data`,
        '--web.listen-address=127.0.0.1:0',
        '--log.format=json',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const port = new Promise<string>((resolve) => {
      let output = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const [, found] = /"address":"127\.0\.0\.1:([1-9]\d*)"/.exec(output) ?? [];
        if (found) resolve(found);
      });
    });
    const stop = async (): Promise<void> => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      await rm(directory, { recursive: true });
    };
    return new Prometheus(`http://127.0.0.1:${await port}`, stop);
  }

  /** The newest value of an expression; undefined where there is none. */
  async query(expression: string): Promise<number | undefined> {
    const response = await send(`${this.url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const answer = JSON.parse(await textOf(response)) as { data?: { result: { value: [number, string] }[] } };
    const value = answer.data?.result[0]?.value[1];
    return value === undefined ? undefined : Number(value);
  }

  /** Resolves once an expression has a value. */
  async until(expression: string, expected: number): Promise<void> {
    const deadline = performance.now() + 20_000;
    let seen: number | undefined;
    while (performance.now() < deadline) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      seen = await this.query(expression).catch(() => undefined);
      if (seen === expected) return;
      // oxlint-disable-next-line no-await-in-loop -- the next scrape has to come
      await delay(50);
    }
    throw new Error(`${expression} is ${seen} and not ${expected}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

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
