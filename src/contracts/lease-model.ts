import { setTimeout as delay } from 'node:timers/promises';
import type { Arbitrary } from 'fast-check';
import type { SharedState } from '../storage/state/shared-state.js';
import { arrival, changed, departure, GRACE, serialsOf } from './leases.js';
import type { Expect, Tools } from './tools.js';

/** Something that happens to leases. */
export interface Act {
  readonly kind: string;
  readonly which: number;
}

/** What may happen to leases, each of which has some of three matchers. */
export function actOf(fc: Tools['fc']): Arbitrary<Act> {
  return fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ kind: fc.constantFrom('enter', 'resume'), which: fc.integer({ max: 7, min: 1 }) }),
    },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('leave'), which: fc.nat({ max: 10 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constantFrom('wait', 'wait and forget', 'release'), which: fc.constant(0) }),
    },
  );
}

const MATCHERS = ['exact:a', 'exact:aa', 'urlpattern:a'];

/** The matchers that the bits of a number stand for. */
const matchersOf = (which: number): string[] => MATCHERS.filter((_, index) => (which & (1 << index)) !== 0);

interface Row {
  readonly ref: number;
  readonly serial: number;
  readonly which: number;
}

let refs = 100_000;

/** Acts on a state, and on a plain list of what should be in it, and compares all lists after each act. */
export async function follow(state: SharedState, acts: readonly Act[], expect: Expect): Promise<void> {
  let here: Row[] = [];
  let away: Row[] = [];
  const end = async (mustForget: boolean): Promise<void> => {
    await delay(GRACE + 5);
    const over = (await state.renew(here.length)) ?? [];
    if (mustForget) await state.forget(over.map(({ subscriber }) => subscriber));
    away = [];
  };
  const release = async (): Promise<void> => {
    await state.release();
    here = [];
    await end(true);
  };
  const enter = async (which: number, isResuming: boolean): Promise<void> => {
    refs += 1;
    const [entered] = await changed(state, arrival(refs, `key ${which}`, isResuming, matchersOf(which)));
    const serial = entered?.lease.serial ?? 0;
    const canResume = isResuming && away.some((row) => row.which === which);
    expect(entered?.isNew).toBe(!canResume);
    if (canResume) expect(away.filter((row) => row.which === which).map((row) => row.serial)).toContain(serial);
    away = away.filter((row) => row.serial !== serial);
    here.push({ ref: refs, serial, which });
  };
  const leave = async (which: number): Promise<void> => {
    const [gone] = here.splice(which % Math.max(1, here.length), 1);
    if (!gone) return;
    await changed(state, departure(gone.ref));
    away.push(gone);
  };
  await release();
  for (const { kind, which } of acts) {
    if (kind === 'enter' || kind === 'resume') await enter(which, kind === 'resume');
    else if (kind === 'leave') await leave(which);
    else if (kind === 'release') await release();
    else await end(kind === 'wait and forget');
    await compare(state, [...here, ...away], expect);
  }
}

async function compare(state: SharedState, rows: readonly Row[], expect: Expect): Promise<void> {
  const there = rows.toSorted((a, b) => a.serial - b.serial);
  const middle = there[Math.floor(there.length / 2)]?.serial ?? 0;
  expect(await serialsOf(state)).toEqual(there.map(({ serial }) => serial));
  for (let asked = 1; asked < 8; asked += 1) {
    const meant = there.filter(({ which }) => (which & asked) !== 0).map(({ serial }) => serial);
    expect(await serialsOf(state, matchersOf(asked))).toEqual(meant);
    expect(await serialsOf(state, matchersOf(asked), middle)).toEqual(meant.filter((serial) => serial > middle));
  }
}
