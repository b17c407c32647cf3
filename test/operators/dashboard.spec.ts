import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { describeEngines } from '../support/engines.js';
import { startHub } from '../support/hub.js';
import { INTERNAL, scrape } from '../support/metrics.js';
import { describeWith, promtool } from '../support/programs.js';
import { Vocabulary } from '../support/promql.js';

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Source {
  readonly type: string;
  readonly uid: string;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Place;
  readonly datasource?: Source;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
    readonly datasource: Source;
  }[];
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly templating: {
    readonly list: { readonly name: string; readonly type: string; readonly definition?: string }[];
  };
  readonly panels: Panel[];
}

const TEXT = readFileSync(new URL('../../deploy/grafana/herald.json', import.meta.url), 'utf8');
const { schemaVersion, templating, panels: ALL } = JSON.parse(TEXT) as Dashboard;
const PANELS = ALL.filter(({ type }) => type !== 'row');
const ROWS = ALL.filter(({ type }) => type === 'row');

/** What Grafana makes of an expression. */
function filled(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$job', 'herald')
    .replaceAll('$instance', '10.0.0.7:9090|10.0.0.8:9090');
}

const QUERIES = PANELS.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr: filled(expr), legend: legendFormat })),
);

function overlap(a: Place, b: Place): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

describe('the dashboard', () => {
  it('is one of Grafana 10, and asks which source, job and processes are meant', () => {
    expect(schemaVersion).toBeGreaterThanOrEqual(38);
    expect(templating.list.map(({ name, type }) => [name, type])).toEqual([
      ['datasource', 'datasource'],
      ['job', 'query'],
      ['instance', 'query'],
    ]);
    // A source that is named otherwise exists at somebody else's Grafana alone.
    const uids = [...TEXT.matchAll(/"datasource": \{[^}]*"uid": "([^"]*)"/g)].map(([, uid]) => uid);
    expect(new Set(uids)).toEqual(new Set(['${datasource}']));
    expect(PANELS.every(({ datasource }) => datasource?.uid === '${datasource}')).toBe(true);
  });

  it('has rows, and panels that each have a title, a description, a unit and queries', () => {
    expect(ROWS.map(({ title }) => title)).toEqual(['Overview', 'Readers', 'Publishing', 'Journal', 'Process']);
    for (const { title, description, fieldConfig, targets } of PANELS) {
      expect(title).toMatch(/^[A-Z]/);
      expect(description).toMatch(/^[A-Z0-9].*\.$/);
      expect(fieldConfig?.defaults.unit).toMatch(/^\w+$/);
      expect(targets?.length).toBeGreaterThan(0);
      expect(new Set(targets?.map(({ refId }) => refId)).size).toBe(targets?.length);
    }
    expect(new Set(PANELS.map(({ title }) => title)).size).toBe(PANELS.length);
    expect(new Set(ALL.map(({ id }) => id)).size).toBe(ALL.length);
  });

  it('has no panel that covers another one, or lies outside', () => {
    const covered = ALL.flatMap((one, index) =>
      ALL.slice(index + 1)
        .filter((other) => overlap(one.gridPos, other.gridPos))
        .map((other) => `${one.title} and ${other.title}`),
    );
    expect(covered).toEqual([]);
    expect(ALL.filter(({ gridPos: { x, w } }) => x < 0 || x + w > 24)).toEqual([]);
  });

  it('asks for nothing but the job and the processes that were chosen', () => {
    const exprs = PANELS.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const bare = exprs.filter((expr) =>
      [...expr.matchAll(/\b(?:herald|process|nodejs)_\w+(\{[^}]*\})?/g)].some(
        ([, selector = '']) => !selector.includes('job="$job", instance=~"$instance"'),
      ),
    );
    expect(bare).toEqual([]);
  });
});

describeEngines((engine, open) => {
  it(`asks a hub on ${engine} for what it exports`, async () => {
    const place = await open();
    try {
      await using herald = await startHub({ ...INTERNAL, HERALD_JOURNAL: place.url });
      const vocabulary = new Vocabulary(await scrape(herald));
      const unknown = QUERIES.flatMap(({ title, expr, legend }) => {
        const labels = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
        return vocabulary.unknownIn(expr, labels).map((what) => `${title}: ${what}`);
      });
      expect(unknown).toEqual([]);
      const asked = templating.list.flatMap(({ definition = [] }) => definition);
      expect(asked).toHaveLength(2);
      expect(asked.flatMap((definition) => vocabulary.unknownIn(definition))).toEqual([]);
    } finally {
      await place.close();
    }
  });
});

describeWith(promtool, 'promtool', (program) => {
  it('can read each expression of the dashboard', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'herald-dashboard-'));
    try {
      const rules = QUERIES.map(({ expr }, index) => ({ record: `herald:query_${index}`, expr }));
      await writeFile(join(folder, 'rules.yaml'), stringify({ groups: [{ name: 'dashboard', rules }] }));
      const { status, stdout, stderr } = spawnSync(program, ['check', 'rules', 'rules.yaml'], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toContain(`SUCCESS: ${QUERIES.length} rules found`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
