import type { Random } from './random.js';

export interface RunOptions {
  readonly random: Random;
  /** How long faults are made; 0 is the short form, which makes each at least once. Milliseconds. */
  readonly duration: number;
  /** Tells what is going on. */
  readonly say: (line: string) => void;
}

export interface Findings {
  /** What is wrong, one line each; empty when all is well. */
  readonly wrong: readonly string[];
  /** What happened, for a reader of the report: how many faults, acknowledgements, …. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A fault, made again and again under load, with a check that everything that was promised is kept. */
export interface Scenario {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  /** Why it can't be run here; nothing when it can. */
  readonly missing: () => string | undefined;
  readonly run: (options: RunOptions) => Promise<Findings>;
}

/** True until there were `least` rounds and the time is over. */
export function rounds(least: number, duration: number): (done: number) => boolean {
  const end = performance.now() + duration;
  return (done) => done < least || performance.now() < end;
}
