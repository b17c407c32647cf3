import { Random } from './random.js';

/** Set by `npm run faults -- --seed N --minutes M`; without them a new seed, and seconds rather than minutes. */
const SEED = Number(process.env['FAULTS_SEED'] ?? Date.now() % 2 ** 31);

/** Whether there is time for a scenario of the real size. */
export const isLong = process.env['FAULTS_MINUTES'] !== undefined;

/** Milliseconds for which a scenario makes trouble. */
const DURATION = Number(process.env['FAULTS_MINUTES'] ?? 0.1) * 60_000;

/** Milliseconds that a scenario may take in all. */
export const TIMEOUT = DURATION + 120_000;

/** The source of chance for one scenario, which says how to run it again. */
export function chance(scenario: string): Random {
  say(scenario, `npm run faults -- --seed ${SEED}`);
  return new Random(SEED);
}

/** Makes trouble again and again, until it was made `least` times and the time is up. Answers how often. */
export async function harass(least: number, strike: () => Promise<void>): Promise<number> {
  const end = performance.now() + DURATION;
  let strikes = 0;
  for (; strikes < least || performance.now() < end; strikes += 1) await strike();
  return strikes;
}

/** Tells what happened, for whoever looks whether enough was tried. */
export function say(scenario: string, what: string): void {
  process.stdout.write(`${scenario}: ${what}\n`);
}
