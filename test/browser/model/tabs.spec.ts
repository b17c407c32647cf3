import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { chromium, describeWith } from '../../support/programs.js';
import { launchAsPeopleHaveIt } from '../as-people.js';
import { ModelHub } from './model-hub.js';
import { run } from './run.js';
import { shrink } from './shrink.js';
import { describeStep, programmeOf, type Step } from './step.js';

/**
 * Whatever happens to tabs, their network, their tokens and their hub, each gets what it should, as `Oracle` has it.
 * `HERALD_TABS_SEED` repeats a programme, and with `HERALD_TABS_STEPS` only some of its steps. `HERALD_TABS_COUNT` asks for
 * so many programmes, which begin with that seed, and then a failure does not end it. `HERALD_TABS_OVER=http2` has pages
 * speak HTTP/2 over TLS, so that a client may have more than two streams. With `HERALD_TABS_JOURNAL=memory` the hub has no
 * disk, and is not restarted.
 */
const {
  HERALD_TABS_SEED: SEED,
  HERALD_TABS_STEPS: STEPS,
  HERALD_TABS_COUNT: COUNT,
  HERALD_TABS_OVER: OVER,
  HERALD_TABS_JOURNAL: JOURNAL,
} = process.env;
const TRANSPORT = OVER === 'http2' ? OVER : 'http1';
const ENGINE = JOURNAL === 'memory' ? JOURNAL : 'lmdb';
/** What it takes to have these. */
const SETTING = [OVER && `HERALD_TABS_OVER=${OVER} `, JOURNAL && `HERALD_TABS_JOURNAL=${JOURNAL} `]
  .filter(Boolean)
  .join('');

/** Steps of a programme. */
const LENGTH = 30;

/** Milliseconds after which no programme begins any more. Those that were asked for have to fit. */
const BUDGET = COUNT === undefined ? 10_000 : Number(COUNT) * 20_000;

/** Milliseconds for making a failure smaller, and the most that one programme may take. */
const SHRINKING = COUNT === undefined ? 60_000 : 240_000;
const LONGEST = 90_000;

/** At least one is new each time. */
const FIRST = Number(SEED ?? Date.now() % 2 ** 31);
const SEEDS =
  SEED === undefined && COUNT === undefined
    ? [FIRST, 1, 2, 3, 4, 5, 6, 7, 8]
    : Array.from({ length: Number(COUNT ?? 1) }, (_, index) => FIRST + index);

/** Failures that are made smaller: the first ones. */
const SHRUNK = 5;

function isPossible(step: Step): boolean {
  return ENGINE === 'lmdb' || step.do !== 'restart';
}

describeWith(chromium, `tabs to which anything happens, with HERALD_TABS_SEED=${FIRST}`, (path) => {
  let browser: Browser;
  let hub: ModelHub;

  beforeAll(async () => {
    [browser, hub] = await Promise.all([launchAsPeopleHaveIt(path), ModelHub.start(ENGINE)]);
  });

  afterAll(async () => {
    await browser.close();
    await hub[Symbol.asyncDispose]();
  });

  /** What was wrong, with the steps that it takes; undefined if all was well. */
  async function tryOut(seed: number, isShrunk: boolean): Promise<string | undefined> {
    const programme = programmeOf(seed, LENGTH);
    const attempt = (places: readonly number[]): Promise<string[]> => {
      const steps = programme.steps.filter((step, place) => places.includes(place) && isPossible(step));
      return run({ browser, hub, transport: TRANSPORT }, { ...programme, steps }).catch((error: unknown) => [
        String(error),
      ]);
    };
    let places: readonly number[] = STEPS?.split(',').map(Number) ?? [...programme.steps.keys()];
    let wrong = await attempt(places);
    if (wrong.length === 0) return undefined;
    const fails = async (some: readonly number[]): Promise<boolean> => {
      const again = await attempt(some);
      if (again.length > 0) wrong = again;
      return again.length > 0;
    };
    if (isShrunk) places = await shrink(places, fails, performance.now() + SHRINKING);
    const steps = programme.steps.flatMap((step, place) =>
      places.includes(place) && isPossible(step) ? [`  ${place}. ${describeStep(step)}`] : [],
    );
    const again = `${SETTING}HERALD_TABS_SEED=${seed} HERALD_TABS_STEPS=${places.join(',')} npm run jest -- test/browser/model`;
    return [`seed ${seed}, sharing by ${programme.place}: ${again}`, ...steps, ...wrong].join('\n');
  }

  it(
    'get each message once, in order, and nothing that is not theirs',
    async () => {
      let deadline = performance.now() + BUDGET;
      const failures: string[] = [];
      let ran = 0;
      for (const seed of SEEDS) {
        if (performance.now() > deadline || (failures.length > 0 && COUNT === undefined)) break;
        const start = performance.now();
        const failure = await tryOut(seed, failures.length < SHRUNK && STEPS === undefined);
        ran += 1;
        if (failure === undefined) continue;
        failures.push(failure);
        console.log(failure);
        // Making a failure smaller takes nothing from the others.
        deadline += performance.now() - start;
      }
      console.log(`${ran} programmes of tabs, with the seeds ${SEEDS.slice(0, ran).join(', ')}`);
      expect(failures.join('\n\n')).toBe('');
      expect(ran).toBeGreaterThanOrEqual(Number(COUNT ?? 1));
    },
    BUDGET + LONGEST + SHRUNK * SHRINKING,
  );
});
