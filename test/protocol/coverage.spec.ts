import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const TABLE = fileURLToPath(new URL('../../docs/protocol.md', import.meta.url));

const RULES = 92;

const STATES = new Set(['held', 'client', 'publisher', 'issuer', 'not held']);

interface Row {
  readonly rule: string;
  readonly state: string;
  /** How or by whom, or why not. */
  readonly how: string;
  readonly testedIn: string;
}

function rows(): Row[] {
  return readFileSync(TABLE, 'utf8')
    .split('\n')
    .filter((line) => /^\| R\d/.test(line))
    .map((line) => {
      const [, rule = '', , state = '', how = '', testedIn = ''] = line.split('|').map((cell) => cell.trim());
      return { rule, state, how, testedIn: testedIn.replaceAll('`', '') };
    });
}

/** The rules that the titles of each file begin with: `R12: …`, or `R12, R13: …`. */
function testedRules(): Map<string, ReadonlySet<string>> {
  const files = readdirSync(HERE).filter((name) => name.endsWith('.spec.ts') && name !== 'coverage.spec.ts');
  return new Map(
    files.map((name) => {
      const titles = readFileSync(HERE + name, 'utf8').matchAll(/(?:^|[\s(])['"`]((?:R\d+(?:, )?)+): /gm);
      return [name.replace('.spec.ts', ''), new Set([...titles].flatMap(([, numbers = '']) => numbers.split(', ')))];
    }),
  );
}

describe('the table of rules', () => {
  it('has each rule once, in order, with a state that is known', () => {
    expect(rows().map(({ rule }) => rule)).toEqual(Array.from({ length: RULES }, (_, index) => `R${index + 1}`));
    expect(rows().filter(({ state }) => !STATES.has(state))).toEqual([]);
  });

  it('names for each rule that is held a file that tests it', () => {
    const tested = testedRules();
    const untested = rows().filter(({ rule, state, testedIn }) => state === 'held' && !tested.get(testedIn)?.has(rule));
    expect(untested.map(({ rule, testedIn }) => `${rule} in ${testedIn}`)).toEqual([]);
  });

  it('names no file for a rule that somebody else holds, and says why one is not', () => {
    const others = rows().filter(({ state }) => state !== 'held');
    expect(others.filter(({ testedIn }) => testedIn !== '')).toEqual([]);
    expect(others.filter(({ state, how }) => state === 'not held' && how === '')).toEqual([]);
  });

  it('has every rule that a test names', () => {
    const known = new Set(rows().map(({ rule }) => rule));
    const named = new Set([...testedRules().values()].flatMap((numbers) => Array.from(numbers)));
    expect([...named].filter((number) => !known.has(number))).toEqual([]);
  });
});
