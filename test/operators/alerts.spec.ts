import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { Publisher, startHub, subscribe } from '../support/hub.js';
import { INTERNAL, internalUrlOf, scrape } from '../support/metrics.js';
import { describeWith, prometheus, promtool, redisServer } from '../support/programs.js';
import { Prometheus } from '../support/prometheus.js';
import { Vocabulary } from '../support/promql.js';
import { RedisServer } from '../support/redis.js';

const FOLDER = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url));
const RUNBOOK = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface RuleTest {
  readonly alert_rule_test: { readonly alertname: string; readonly exp_alerts?: object[] }[];
}

const TEXT = readFileSync(`${FOLDER}alerts.yaml`, 'utf8');
const RULES = (parse(TEXT) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);
const { tests: TESTS } = parse(readFileSync(`${FOLDER}alerts.test.yaml`, 'utf8')) as { tests: RuleTest[] };

/** How quick the machine of the tests is, decides about these: also a scrape may come too late on one that is busy. */
const BY_SPEED = new Set([
  'HeraldDown',
  'HeraldDeliverySlow',
  'HeraldEventLoopLate',
  'HeraldOverloaded',
  'HeraldPublishSlow',
]);

/** Milliseconds for a test in which several alerts have to come. */
const PATIENCE = 90_000;

/** The rules without the time that what they look at must last. */
const HASTY = TEXT.replaceAll(/^ +for: .*\n/gm, '');

describe('alerts', () => {
  it('have names of their own, severities, and texts that say which process is meant', () => {
    const names = RULES.map(({ alert }) => alert);
    expect(names.length).toBeGreaterThan(11);
    expect(new Set(names).size).toBe(names.length);
    for (const { alert, labels, annotations } of RULES) {
      expect(alert).toMatch(/^Herald[A-Z]\w+$/);
      expect(['page', 'ticket']).toContain(labels['severity']);
      expect(annotations['summary']).toMatch(/^[A-Z].*\.$/);
      expect(annotations['description']).toMatch(/\$labels\.instance.*\.$/s);
      expect(annotations['runbook_url']).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
    }
  });

  it('have each a test that fires them and one that does not', () => {
    const tests = TESTS.flatMap(({ alert_rule_test: one }) => one);
    const firing = tests.filter(({ exp_alerts: expected = [] }) => expected.length > 0);
    const quiet = tests.filter(({ exp_alerts: expected = [] }) => expected.length === 0);
    const all = RULES.map(({ alert }) => alert).toSorted();
    expect([...new Set(firing.map(({ alertname }) => alertname))].toSorted()).toEqual(all);
    expect([...new Set(quiet.map(({ alertname }) => alertname))].toSorted()).toEqual(all);
  });

  it('have each one paragraph in the runbook, which has no other', () => {
    const [, ...paragraphs] = RUNBOOK.split(/^## /m);
    expect(paragraphs.map((text) => text.split('\n', 1)[0])).toEqual(RULES.map(({ alert }) => alert));
    for (const text of paragraphs) {
      const parts = [...text.matchAll(/^- \*\*(\w+)\.\*\* \S/gm)].map(([, part]) => part);
      expect(parts).toEqual(['Means', 'Look', 'Do', 'Over']);
    }
  });

  it('ask for what a running hub exports, and so does the runbook', async () => {
    await using herald = await startHub(INTERNAL);
    const vocabulary = new Vocabulary(await scrape(herald));
    const unknown = RULES.flatMap(({ alert, expr }) => vocabulary.unknownIn(expr).map((what) => `${alert}: ${what}`));
    expect(unknown).toEqual([]);
    const told = [...RUNBOOK.matchAll(/`([^`]*\b(?:herald|process|nodejs)_[^`]*)`/g)].map(([, code = '']) => code);
    expect(told.length).toBeGreaterThan(RULES.length);
    expect(told.flatMap((code) => vocabulary.unknownIn(code))).toEqual([]);
    expect(vocabulary.unknownIn('rate(herald_gaps_total{reason=~"trimmed|never"}[5m])')).toHaveLength(1);
    expect(vocabulary.unknownIn('sum by (topic) (herald_publish_stored_seconds)')).toHaveLength(2);
  });
});

describeWith(promtool, 'promtool', (program) => {
  it.each([
    ['check', 'rules', '--lint-fatal', 'alerts.yaml'],
    ['check', 'config', '--lint-fatal', 'prometheus.yml'],
    ['test', 'rules', 'alerts.test.yaml'],
  ])('%s %s', (...args) => {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: FOLDER, encoding: 'utf8' });
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});

describeWith(prometheus, 'Prometheus with the alerts', (program) => {
  describeWith(redisServer, 'and a hub on Redis', (server) => {
    it(
      'tells of a journal that is away, until it is back',
      async () => {
        await using redis = await RedisServer.start(server);
        await using herald = await startHub({ ...INTERNAL, HERALD_JOURNAL: redis.url });
        await using watching = await Prometheus.start(program, new URL(await internalUrlOf(herald)).host, HASTY);
        await watching.until('herald_journal_available', 1);
        await redis.stop();
        expect((await watching.untilFiring('HeraldJournalAway')).labels['severity']).toBe('page');
        await redis.start();
        await watching.until('herald_journal_available', 1);
        await watching.until('count(ALERTS{alertname="HeraldJournalAway"}) or vector(0)', 0);
      },
      PATIENCE,
    );
  });

  it(
    'is silent about a healthy hub, and tells of one that is full, and of one that is gone',
    async () => {
      await using herald = await startHub({ ...INTERNAL, HERALD_MAX_CONNECTIONS: '2' });
      const target = new URL(await internalUrlOf(herald)).host;
      await using watching = await Prometheus.start(program, target, HASTY);
      using publisher = await Publisher.of(herald);
      await using first = await subscribe(herald, { query: 'match=urn:a' });
      await publisher.publish({ topic: 'urn:a', data: '1' });
      await first.until(({ events }) => events.length === 1);
      await watching.until('herald_deliveries_total', 1);
      // Rates need two scrapes.
      await watching.until('count_over_time(up[1m]) > bool 5', 1);
      const seen = (await watching.alerts()).filter(({ name }) => !BY_SPEED.has(name));
      expect(seen).toEqual([]);

      await using _second = await subscribe(herald, { query: 'match=urn:a' });
      expect((await watching.untilFiring('HeraldStreamsNearLimit')).labels['severity']).toBe('ticket');
      await using third = await subscribe(herald, { query: 'match=urn:a' });
      await third.until(({ events }) => events.length > 0);
      expect((await watching.untilFiring('HeraldStreamsRefused')).labels['severity']).toBe('page');

      await herald.kill();
      const { labels } = await watching.untilFiring('HeraldDown');
      expect(labels).toMatchObject({ job: 'herald', instance: target, severity: 'page' });
    },
    PATIENCE,
  );
});
