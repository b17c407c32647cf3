import { parseArgs } from 'node:util';
import { JOURNALS, type JournalName } from './journals.js';

export const USAGE =
  'npm run soak -- --minutes N [--journal memory|lmdb|redis] [--readers N] [--seed N] [--warm-up SECONDS] [--out FOLDER]' +
  ' [--snapshots] [--leak]';

export interface Options {
  readonly minutes: number;
  /** One after the other. */
  readonly journals: readonly JournalName[];
  readonly readers: number;
  readonly seed: number;
  /** Seconds of load before the first figures are taken. */
  readonly warmUp: number;
  /** Where figures and pictures are written. */
  readonly out: string;
  /** Writes what is in the heap at the beginning and at the end as well, for Chromium's developer tools. */
  readonly snapshots: boolean;
  /** The hub is made to leak, to see that it is found. */
  readonly leaks: boolean;
}

/** @throws {Error} that says which argument is wrong. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '2' },
      journal: { type: 'string' },
      readers: { type: 'string', default: '5000' },
      seed: { type: 'string' },
      'warm-up': { type: 'string', default: '90' },
      out: { type: 'string', default: 'test-results/soak' },
      snapshots: { type: 'boolean', default: false },
      leak: { type: 'boolean', default: false },
    },
  });
  return {
    minutes: numberOf('minutes', values.minutes, 0.1, 24 * 60),
    journals: journalsOf(values.journal),
    readers: Math.round(numberOf('readers', values.readers, 10, 9_000)),
    seed: numberOf('seed', values.seed ?? String(Date.now() % 2 ** 31), 0, 2 ** 31),
    warmUp: numberOf('warm-up', values['warm-up'], 0, 3_600),
    out: values.out,
    snapshots: values.snapshots,
    leaks: values.leak,
  };
}

function numberOf(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (value >= least && value <= most) return value;
  throw new Error(`--${name} must be a number from ${least} to ${most}.`);
}

function journalsOf(text: string | undefined): readonly JournalName[] {
  const chosen = JOURNALS.filter((journal) => text === undefined || text === journal);
  if (chosen.length > 0) return chosen;
  throw new Error(`--journal must be one of ${JOURNALS.join(', ')}.`);
}
