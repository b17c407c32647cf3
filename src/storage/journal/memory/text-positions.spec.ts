import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TextPositions } from './text-positions.js';

/** What is done with one of a few texts: given a position, taken out, or moved to another position. */
const steps = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 300 })), { minLength: 100, maxLength: 2_000 });

describe('positions by text', () => {
  it('are those of a map, whatever comes and goes', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const texts: string[] = [];
        const table = new TextPositions((position) => texts[position]);
        const map = new Map<string, number>();
        for (const [kind, number] of given) {
          const text = `text ${number}`;
          const known = map.get(text);
          expect(table.get(text)).toBe(known);
          if (known === undefined) {
            map.set(text, texts.push(text) - 1);
            expect(table.add(text, texts.length - 1)).toBe(true);
          } else if (kind === 3) {
            expect(table.add(text, known + 1)).toBe(false);
          } else if (kind === 0) {
            map.set(text, texts.push(text) - 1);
            table.replace(table.hashOf(text), known, texts.length - 1);
          } else {
            map.delete(text);
            table.delete(table.hashOf(text), known);
          }
        }
        for (let number = 0; number <= 300; number += 1) {
          expect(table.get(`text ${number}`)).toBe(map.get(`text ${number}`));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('grow to many, and shrink again', () => {
    const table = new TextPositions((position) => `text ${position}`);
    for (let position = 0; position < 20_000; position += 1) {
      table.add(`text ${position}`, position);
      if (position >= 5_000) table.delete(table.hashOf(`text ${position - 5_000}`), position - 5_000);
    }
    expect([14_999, 15_000, 19_999, 20_000].map((position) => table.get(`text ${position}`))).toEqual([
      undefined,
      15_000,
      19_999,
      undefined,
    ]);
    for (let position = 15_000; position < 20_000; position += 1)
      table.delete(table.hashOf(`text ${position}`), position);
    expect(table.get('text 19999')).toBeUndefined();
  });

  it('do not take one that is not there for another one', () => {
    const table = new TextPositions((position) => `text ${position}`);
    table.add('text 1', 1);
    table.delete(table.hashOf('text 1'), 2);
    table.replace(table.hashOf('text 1'), 2, 3);
    expect(table.get('text 1')).toBe(1);
  });
});
