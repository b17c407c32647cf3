import { Random } from './random.js';

/** Set by `npm run faults -- --seed N --minutes M`; without them a new seed, and seconds rather than minutes. */
export const SEED = Number(process.env['FAULTS_SEED'] ?? Date.now() % 2 ** 31);

/** Milliseconds for which a scenario makes trouble. */
export const DURATION = Number(process.env['FAULTS_MINUTES'] ?? 0.1) * 60_000;

/** Milliseconds that a scenario may take in all. */
export const TIMEOUT = DURATION + 90_000;

/** The source of chance for one scenario, which says how to run it again. */
export function chance(scenario: string): Random {
  process.stdout.write(`${scenario}: npm run faults -- --seed ${SEED}\n`);
  return new Random(SEED);
}
