import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Lease } from '../shared-state.js';
import { LeaseOrder } from './lease-order.js';

const lease = (serial: number): Lease => ({ serial, subscriber: `urn:${serial}`, details: '' });

/** All serials above `after`, one step after the other. */
function serialsIn(order: LeaseOrder, after = 0): number[] {
  const serials: number[] = [];
  for (let next = order.next(after); next; next = order.next(next.serial)) serials.push(next.serial);
  return serials;
}

describe('LeaseOrder', () => {
  it('has exactly the leases that were added and not removed, in their order', () => {
    // Runs of additions that fill several blocks, and runs of removals that empty some.
    const run = fc.record({ add: fc.nat({ max: 600 }), from: fc.nat({ max: 1_000 }), remove: fc.nat({ max: 600 }) });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 6 }), (runs) => {
        const order = new LeaseOrder();
        let there: number[] = [];
        let last = 0;
        for (const { add, from, remove } of runs) {
          for (let count = 0; count < add; count += 1) {
            last += 1 + (last % 3);
            order.add(lease(last));
            there.push(last);
          }
          const gone = new Set(there.slice(from, from + remove));
          for (const serial of gone) order.delete(lease(serial));
          there = there.filter((serial) => !gone.has(serial));
          expect(serialsIn(order)).toEqual(there);
          expect(order.isEmpty).toBe(there.length === 0);
          expect(serialsIn(order, from)).toEqual(there.filter((serial) => serial > from));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('does nothing for a lease that is not there', () => {
    const order = LeaseOrder.of(lease(2), lease(4));
    for (const serial of [1, 3, 5]) order.delete(lease(serial));
    expect(serialsIn(order)).toEqual([2, 4]);
  });
});
