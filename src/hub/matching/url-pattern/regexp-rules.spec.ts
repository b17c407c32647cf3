import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { regexpCost } from './regexp-rules.js';

const atoms = fc.constantFrom(
  'a',
  '.',
  '[a-z]',
  '[^/]',
  String.raw`\d`,
  String.raw`\.`,
  String.raw`\x41`,
  String.raw`\p{L}`,
  '$',
);
const quantifiers = fc.constantFrom('', '', '', '*', '+', '?', '*?', '{3}', '{2,}', '{0,5}', '{2,7}?', '{0}', '{1000}');

const { regexp } = fc.letrec<{ regexp: string; term: string }>((tie) => ({
  regexp: fc.array(tie('term'), { minLength: 1, maxLength: 4 }).map((terms) => terms.join('')),
  term: fc
    .tuple(
      fc.oneof(
        { maxDepth: 4 },
        atoms,
        tie('regexp').map((inner) => `(?:${inner})`),
        fc.tuple(tie('regexp'), tie('regexp')).map((both) => `(?:${both.join('|')})`),
      ),
      quantifiers,
    )
    .map(([atom, quantifier]) => (atom === '$' ? atom : atom + quantifier)),
}));

describe('regexpCost', () => {
  it('is never less than the size of the program that RE2 makes', () => {
    let compared = 0;
    fc.assert(
      fc.property(regexp, (source) => {
        const cost = regexpCost(source);
        // The hub refuses anything that costs this much, and compiling it here would take too long.
        if (cost > 100_000 || !isSupported(source)) return;
        compared += 1;
        expect([source, RE2JS.compile(source).programSize() - 3 <= cost]).toEqual([source, true]);
      }),
      { numRuns: 1000 },
    );
    expect(compared).toBeGreaterThan(100);
  });

  it.each([
    ['[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}', 200],
    [String.raw`\d+`, 20],
    ['jpg|png|webp', 40],
  ])('is small for %s, as patterns have it', (source, most) => {
    expect(regexpCost(source)).toBeLessThan(most);
  });

  it.each([String.raw`(?:a)\1`, String.raw`\k<a>`, '(?=a)', '(?!a)', '(?<=a)', '(?<!a)'])(
    'is refused for %s, which has no linear time',
    (source) => {
      expect(() => regexpCost(source)).toThrow('look-around');
    },
  );

  it.each(['(?<a>b)', '(?i:a)', '[]a', '[^]', '[[:alpha:]x]', '[a[b]'])(
    'is refused for %s, which engines read differently',
    (source) => {
      expect(() => regexpCost(source)).toThrow('not supported');
    },
  );
});

function isSupported(source: string): boolean {
  try {
    return RE2JS.compile(source).programSize() > 0;
  } catch {
    return false;
  }
}
