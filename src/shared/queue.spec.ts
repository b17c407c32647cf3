import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Queue } from './queue.js';

describe('Queue', () => {
  it('behaves like an array, whatever is pushed and shifted', () => {
    const operation = fc.oneof(
      fc.integer({ min: 1, max: 3_000 }).map((count) => ({ push: count, shift: 0 })),
      fc.integer({ min: 1, max: 3_000 }).map((count) => ({ push: 0, shift: count })),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), fc.nat(5_000), (operations, index) => {
        const queue = new Queue([-1]);
        const model = [-1];
        let next = 0;
        for (const { push, shift } of operations) {
          for (let count = 0; count < push; count += 1) {
            queue.push(next);
            model.push(next++);
          }
          // Compared together, because so many expectations would take seconds.
          const shifted = Array.from({ length: shift }, () => queue.shift());
          const gone = model.splice(0, shift);
          expect(shifted.slice(0, gone.length)).toEqual(gone);
          expect(shifted.slice(gone.length).every((one) => one === undefined)).toBe(true);
          expect(queue.length).toBe(model.length);
          expect(queue.at(index)).toBe(model[index]);
          expect(queue.findIndex((item) => item > index)).toBe(model.filter((item) => item <= index).length);
          expect(queue.slice(index, index + 3)).toEqual(model.slice(index, index + 3));
        }
        expect(queue.slice(0, queue.length)).toEqual(model);
      }),
      { numRuns: 50 },
    );
  });

  it('gives up any of its items', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat()),
        fc.nat(10),
        fc.array(fc.integer({ min: -1, max: 20 })),
        (items, gone, indexes) => {
          const queue = new Queue(items);
          const model = [...items];
          for (let count = 0; count < gone; count += 1) queue.shift();
          model.splice(0, gone);
          for (const index of indexes) {
            queue.delete(index);
            if (index >= 0) model.splice(index, 1);
          }
          expect(queue.slice(0, queue.length)).toEqual(model);
        },
      ),
    );
  });

  it('gives its items back from the end', () => {
    const queue = new Queue([1, 2, 3]);
    queue.shift();
    expect([queue.pop(), queue.length, queue.pop(), queue.pop(), queue.length]).toEqual([3, 1, 2, undefined, 0]);
    queue.push(4);
    expect(queue.at(0)).toBe(4);
  });

  it('has nothing before its front', () => {
    expect(new Queue([1]).at(-1)).toBeUndefined();
  });
});
