import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Tail } from './tail.js';

describe('the end of a history and the stream that it meets', () => {
  it('are one sequence, wherever the two overlap', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(30), fc.nat(30), (first, second, third) => {
        const [start, end, last] = [first, second, third].toSorted((a, b) => a - b) as [number, number, number];
        const log = Array.from({ length: last }, (_, index) => String(index));
        const tail = new Tail();
        for (const id of log.slice(0, end)) tail.add(id);
        const held = log.slice(start, last);
        const { count, repeats } = tail.meet(held);
        const later = log.slice(start + held.length).filter((id) => !repeats.has(id));
        expect([...log.slice(0, end), ...held.slice(count), ...later]).toEqual(log);
      }),
    );
  });

  it('are one sequence where the stream is behind', () => {
    const tail = new Tail();
    for (const id of ['1', '2', '3', '4']) tail.add(id);
    const { count, repeats } = tail.meet(['2', '3']);
    expect(count).toBe(2);
    expect(['4', '5'].filter((id) => !repeats.has(id))).toEqual(['5']);
  });
});
