import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const TABLE = readFileSync(join(HERE, '../../docs/protocol.md'), 'utf8');

const rows = [...TABLE.matchAll(/^\| R(\d+) +\|[^|]*\| *(\w+) *\|/gm)].map(([, number, state]) => ({
  number: Number(number),
  state,
}));

/** The numbers that stand before the colon of a title, or at the start of a row of a table of tests. */
function testedRules(): Set<number> {
  const sources = readdirSync(HERE)
    .filter((name) => name.endsWith('.spec.ts') && name !== 'coverage.spec.ts')
    .map((name) => readFileSync(join(HERE, name), 'utf8'));
  const titles = [...sources.join('\n').matchAll(/['"`]((?:R\d+(?:, )?)+)['":]/g)];
  return new Set(titles.flatMap(([, rules = '']) => rules.split(', ').map((rule) => Number(rule.slice(1)))));
}

describe('docs/protocol.md', () => {
  it('has every rule once', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 92 }, (_, index) => index + 1));
  });

  it('calls held only what has a test with its number', () => {
    const tested = testedRules();
    const untested = rows.filter(({ number, state }) => state === 'held' && !tested.has(number));
    expect(untested).toEqual([]);
  });
});
