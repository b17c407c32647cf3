import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { FULL, LATE, Pressure, SUSTAINED } from './pressure.js';

const CALM = { late: LATE, heap: FULL };
const OVER = [
  { late: LATE + 1, heap: 0 },
  { late: 0, heap: FULL + 0.01 },
];

/** What is refused now. */
function shed({ shedsStreams, shedsPublications }: Pressure): string {
  return [shedsStreams && 'streams', shedsPublications && 'publications'].filter(Boolean).join(' and ');
}

describe('pressure', () => {
  const told: unknown[] = [];
  const tell = (text: unknown): void => void told.push(text);

  beforeEach(() => {
    told.length = 0;
    for (const level of ['warn', 'log'] as const) jest.spyOn(Logger.prototype, level).mockImplementation(tell);
  });
  afterEach(() => void jest.restoreAllMocks());

  it.each(OVER)('refuses streams first, then publications, and takes them again in the reverse order: %j', (load) => {
    const pressure = new Pressure();
    const seen = [];
    const loads = [load, load, load, load, CALM, CALM, CALM, CALM];
    for (const [index, now] of loads.entries()) {
      pressure.look(index * SUSTAINED, now);
      seen.push(shed(pressure));
    }
    const all = 'streams and publications';
    expect(seen).toEqual(['', 'streams', all, all, all, 'streams', '', '']);
  });

  it('refuses nobody for a single long task, however long, nor for many with rests between them', () => {
    const pressure = new Pressure();
    for (let now = 0; now < 100; now += 1) {
      pressure.look(now * SUSTAINED, now % 2 === 0 ? { late: 60_000, heap: 0.1 } : CALM);
      expect(shed(pressure)).toBe('');
    }
  });

  it('says what it has seen once for each step', () => {
    const pressure = new Pressure();
    for (let step = 0; step < 5; step += 1) pressure.look(step * SUSTAINED, { late: 300.4, heap: 0.5 });
    for (let step = 5; step < 10; step += 1) pressure.look(step * SUSTAINED, CALM);
    expect(told).toEqual([
      { msg: 'too much to do: new streams are refused', late: 300, heapInUse: 50 },
      { msg: 'too much to do: new publications are refused', late: 300, heapInUse: 50 },
      'new publications are taken again',
      'new streams are taken again',
    ]);
  });

  it('behaves like its model', () => {
    const looks = fc.array(fc.record({ after: fc.integer({ min: 1, max: 1_500 }), isOver: fc.boolean() }));
    fc.assert(
      fc.property(looks, (given) => {
        const pressure = new Pressure();
        let now = 0;
        let level = 0;
        // The time of the look that began the stretch of the same answers, or of the last step within it.
        let begin = 0;
        let before = false;
        for (const { after, isOver } of given) {
          now += after;
          pressure.look(now, isOver ? { late: LATE + 1, heap: 0 } : CALM);
          if (isOver !== before) begin = now;
          else if (now - begin >= SUSTAINED) {
            level = Math.max(0, Math.min(2, level + (isOver ? 1 : -1)));
            begin = now;
          }
          before = isOver;
          expect([pressure.shedsStreams, pressure.shedsPublications]).toEqual([level > 0, level > 1]);
        }
      }),
    );
  });
});
