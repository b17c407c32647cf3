import { setTimeout as delay } from 'node:timers/promises';
import type { Arrival, Departure, SharedState } from '../storage/state/shared-state.js';
import { arrival, changed, departure, GRACE, listed, serialsOf } from './leases.js';
import { actOf, follow } from './lease-model.js';
import type { Tools } from './tools.js';

export interface StateEngine {
  readonly name: string;
  readonly open: () => Promise<SharedState>;
}

const REPORT = { host: 'here', version: '1.2.3', startedAt: '2026-01-01T00:00:00.000Z', connections: 7 };

/** What the processes of a hub share, whatever keeps it. */
export function describeState(tools: Tools, { name, open }: StateEngine): void {
  const { describe, it, beforeEach, afterEach, expect, fc } = tools;
  describe(`the shared state in ${name}`, () => {
    let state: SharedState;

    beforeEach(async () => {
      state = await open();
      await state.renew(0);
    });
    afterEach(() => state.close());

    it('lists who has come in the order of coming, with what was said of them, and finds each by name', async () => {
      const many = Array.from({ length: 250 }, (_, index) => arrival(index, `key ${index % 7}`));
      const entered = await changed(state, ...many);
      expect(entered.every(({ isNew }) => isNew)).toBe(true);
      const leases = await listed(state);
      expect(leases.map(({ details }) => details)).toEqual(many.map(({ details }) => details));
      expect(leases.map(({ subscriber }) => subscriber)).toEqual(entered.map(({ lease }) => lease.subscriber));
      expect(new Set(leases.map(({ subscriber }) => subscriber)).size).toBe(250);
      expect(await listed(state, leases[199]?.serial)).toEqual(leases.slice(200));
      await expect(state.find(leases[7]?.subscriber ?? '')).resolves.toEqual(
        expect.objectContaining({ details: many[7]?.details, serial: leases[7]?.serial }),
      );
      await expect(state.find('urn:uuid:none')).resolves.toBeUndefined();
    });

    it('is over when nobody has taken it up within the grace, and not before', async () => {
      const [one] = await changed(state, arrival(1, 'k'), departure(1));
      await expect(state.renew(0)).resolves.toEqual([]);
      expect(await listed(state)).toHaveLength(1);
      await delay(GRACE + 20);
      const over = await state.renew(0);
      expect(over).toEqual([
        expect.objectContaining({ subscriber: one?.lease.subscriber, details: one?.lease.details }),
      ]);
      expect(await listed(state)).toEqual([]);
      await expect(state.find(one?.lease.subscriber ?? '')).resolves.toBeUndefined();
      expect(await serialsOf(state, ['exact:k'])).toEqual([]);
      await expect(changed(state, arrival(2, 'k', true))).resolves.toEqual([expect.objectContaining({ isNew: true })]);
      await state.forget([one?.lease.subscriber ?? '']);
      await expect(state.renew(1)).resolves.toEqual([]);
    });

    it('gives a lease with the key back to who resumes, once', async () => {
      const names = async (...changes: (Arrival | Departure)[]): Promise<(string | undefined)[]> => {
        const entered = await changed(state, ...changes);
        return entered.map(({ lease, isNew }) => (isNew ? 'new' : lease.subscriber));
      };
      const first = await changed(state, arrival(1, 'k'), arrival(2, 'k'), arrival(3, 'other'));
      const [older, newer] = first.map(({ lease }) => lease.subscriber);
      await changed(state, departure(2), departure(1));
      // A key that begins with another one is another one.
      await expect(names(arrival(4, 'k2', true), arrival(5, 'k', false))).resolves.toEqual(['new', 'new']);
      const back = await names(arrival(6, 'k', true), arrival(7, 'k', true), arrival(8, 'k', true));
      expect(new Set(back)).toEqual(new Set([older, newer, 'new']));
      await delay(GRACE + 20);
      await expect(state.renew(6)).resolves.toEqual([]);
    });

    it('lets go of all that the process holds', async () => {
      await changed(state, arrival(1, 'a'), arrival(2, 'b'), departure(2));
      const told = [...(await state.release())];
      await delay(GRACE + 20);
      const over = [...told, ...((await state.renew(0)) ?? [])];
      expect(over).toHaveLength(2);
      expect(await listed(state)).toEqual([]);
    });

    it('holds exactly those who are there, whatever happened', async () => {
      const act = fc.record({ key: fc.constantFrom('a', 'b'), what: fc.constantFrom('enter', 'resume', 'leave') });
      let ref = 1_000;
      await fc.assert(
        fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
          await state.release();
          await delay(GRACE + 5);
          await state.forget(((await state.renew(0)) ?? []).map(({ subscriber }) => subscriber));
          const connected: { ref: number; key: string; subscriber: string }[] = [];
          for (const { key, what } of acts) {
            if (what === 'leave') {
              const gone = connected.shift();
              if (gone) await changed(state, departure(gone.ref));
              continue;
            }
            ref += 1;
            const [entered] = await changed(state, arrival(ref, key, what === 'resume'));
            const subscriber = entered?.lease.subscriber ?? '';
            // Never two for one lease.
            expect(connected.map((other) => other.subscriber)).not.toContain(subscriber);
            connected.push({ ref, key, subscriber });
          }
          await delay(GRACE + 5);
          await state.renew(connected.length);
          const there = (await listed(state)).map(({ subscriber }) => subscriber);
          expect(there.toSorted()).toEqual(connected.map(({ subscriber }) => subscriber).toSorted());
        }),
        { numRuns: 10 },
      );
    });

    it('lists those with a matcher by itself, page by page, in the order of coming', async () => {
      const long = `urlpattern:${'/é"'.repeat(1_000)}`;
      const many = Array.from({ length: 450 }, (_, index) =>
        arrival(index, 'k', false, [`m${index % 3}`, 'all', ...(index % 100 === 7 ? [long] : [])]),
      );
      const entered = await changed(state, ...many);
      const serials = entered.map(({ lease }) => lease.serial);
      const every = (count: number, first: number): number[] => serials.filter((_, index) => index % count === first);
      expect(await serialsOf(state, ['all'])).toEqual(serials);
      expect(await serialsOf(state, ['all'], serials[250])).toEqual(serials.slice(251));
      expect(await serialsOf(state, ['m1'])).toEqual(every(3, 1));
      expect(await serialsOf(state, [long])).toEqual(every(100, 7));
      expect(await serialsOf(state, ['m1', long])).toEqual(
        serials.filter((_, index) => index % 3 === 1 || index % 100 === 7),
      );
      expect(await serialsOf(state, ['m2', 'm1', 'm2'], serials[10])).toEqual(
        serials.filter((_, index) => index > 10 && index % 3 !== 0),
      );
      for (const none of ['', 'm', 'm11', 'al', 'all\n', long.slice(1)])
        expect(await serialsOf(state, [none])).toEqual([]);
      expect(await serialsOf(state, [])).toEqual([]);
    });

    it('lists large leases one after the other', async () => {
      const large = { ...arrival(1, 'k'), details: JSON.stringify('x'.repeat(200_000)) };
      const entered = await changed(state, large, departure(1), large, departure(1), large, departure(1), large);
      const serials = entered.map(({ lease }) => lease.serial);
      expect(await serialsOf(state)).toEqual(serials);
      expect(await serialsOf(state, ['exact:k'])).toEqual(serials);
    });

    it('lists those with a matcher exactly as long as they are there, whatever happened', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(actOf(fc), { minLength: 10, maxLength: 25 }), (acts) => follow(state, acts, expect)),
        {
          numRuns: 12,
        },
      );
    });

    it('knows this process among those that are alive', async () => {
      await expect(state.processes(REPORT)).resolves.toEqual([{ ...REPORT, id: state.processId, isThis: true }]);
    });
  });
}
