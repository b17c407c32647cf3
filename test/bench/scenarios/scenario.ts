import type { Peer, PeerName } from '../peers/peer.js';

export type ScenarioId =
  'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm' | 'n' | 'o' | 'p' | 'q';

/** How long the benchmark takes over each thing. */
export interface Effort {
  /** Before each window, so that code is compiled and pages are touched. */
  readonly warmupSeconds: number;
  /** A window at full speed. */
  readonly windowSeconds: number;
  /** A window at rest; longer than a heartbeat. */
  readonly restSeconds: number;
  /** A window at a fixed rate. */
  readonly paceSeconds: number;
  /** The same on a server that has just been started. */
  readonly coldSeconds: number;
  /** The same with nobody stalled, for comparison; 0 leaves it out. */
  readonly calmSeconds: number;
  /** After many connections, until memory is looked at. */
  readonly settleSeconds: number;
  /** What a journal holds that is called full. */
  readonly storedEntries: number;
  /** Readers that come back at once for a long replay. */
  readonly replayReaders: number;
  /** Part of the readers, and of what is held, where each reader comes back to a topic of its own. */
  readonly returningPart: number;
}

export const FULL_EFFORT: Effort = {
  warmupSeconds: 2,
  windowSeconds: 5,
  restSeconds: 25,
  paceSeconds: 20,
  coldSeconds: 20,
  calmSeconds: 20,
  settleSeconds: 3,
  storedEntries: 5_000_000,
  replayReaders: 1000,
  returningPart: 1,
};
export const QUICK_EFFORT: Effort = {
  warmupSeconds: 1,
  windowSeconds: 2,
  restSeconds: 21,
  paceSeconds: 6,
  coldSeconds: 6,
  calmSeconds: 6,
  settleSeconds: 3,
  storedEntries: 200_000,
  replayReaders: 100,
  returningPart: 0.1,
};
/**
 * For the comparison with another commit, which measures often: what it does not compare gets next to no time. The first
 * seconds say how soon V8 compiles, and not what is compiled: two commits were 10 % apart after one second of warm-up and
 * 4 % after four, and changed places after six.
 */
export const COMPARISON_EFFORT: Effort = {
  warmupSeconds: 6,
  windowSeconds: 2,
  restSeconds: 1,
  paceSeconds: 5,
  coldSeconds: 1,
  calmSeconds: 0,
  settleSeconds: 2,
  storedEntries: 200_000,
  replayReaders: 100,
  returningPart: 0.1,
};

/** How a figure is written. */
export type Unit =
  'per second' | 'kibibytes' | 'mebibytes' | 'milliseconds' | 'microseconds' | 'percent' | 'count' | 'ratio';

export interface Metric {
  readonly key: string;
  readonly label: string;
  readonly unit: Unit;
  /** Shown as a ratio of Herald's figure to each peer's of the same run. */
  readonly compared: boolean;
  /** It counts in the comparison with another commit, and this is the better direction. */
  readonly better?: 'greater' | 'less';
}

/** How much anything else on the machine took of a core during a window; its key starts with `others`. */
export function othersMetric(suffix = '', label = ''): Metric {
  return {
    key: `others${suffix}`,
    label: `taken by other programs${label}, of one core`,
    unit: 'percent',
    compared: false,
  };
}

/** What Herald is to reach: a bound on its own figure, or on its ratio to a peer's in the same run. */
export interface Goal {
  readonly metric: string;
  readonly comparedTo?: PeerName;
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** The figures of one scenario, one server and one run, by metric key; or why there are none. */
export type Outcome = { readonly figures: Readonly<Record<string, number>> } | { readonly none: string };

export interface Scenario {
  readonly id: ScenarioId;
  readonly title: string;
  /** What is done and what is counted, for a reader of the report. */
  readonly explanation: string;
  readonly metrics: readonly Metric[];
  readonly goals: readonly Goal[];
  /** Once before the first run, with every server that will be measured. Resolves with a note for the report, if any. */
  readonly prepare?: (peers: readonly Peer[]) => Promise<string | undefined>;
  readonly measure: (peer: Peer, effort: Effort) => Promise<Outcome>;
}
