import type { Peer } from '../peers/peer.js';
import { spreadOf } from '../statistics.js';
import { type Session, withSession } from './session.js';

/** What each of some servers has cost, round by round: figures at the same place are of the same moment. */
export type Rounds<Name extends string> = Readonly<Record<Name, readonly number[]>>;

export interface Turns {
  /** Rounds before those that count: they compile the code. */
  readonly warmUp: number;
  readonly rounds: number;
  /** What comes before the first round. */
  readonly prepare?: (session: Session) => Promise<void>;
}

/**
 * Measures some servers in turns, one round of each after the other, because the machine's own speed changes by a third
 * within minutes.
 *
 * @param measure one round, by its number from 0 on
 */
export async function inTurns<Name extends string>(
  starts: Readonly<Record<Name, Peer['start']>>,
  { warmUp, rounds, prepare }: Turns,
  measure: (session: Session, round: number, name: Name) => Promise<number>,
): Promise<Rounds<Name>> {
  const names = Object.keys(starts) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  const run = async (sessions: Readonly<Record<Name, Session>>): Promise<void> => {
    for (const name of names) await prepare?.(sessions[name]);
    for (let round = 0; round < warmUp + rounds; round += 1) {
      for (const name of names) {
        const figure = await measure(sessions[name], round, name);
        if (round >= warmUp) figures[name].push(figure);
      }
    }
  };
  await withAll(names, starts, {} as Record<Name, Session>, run);
  return figures;
}

/** Starts one server after the other, and stops them all once the work is done, also when it fails. */
async function withAll<Name extends string>(
  [name, ...others]: readonly Name[],
  starts: Readonly<Record<Name, Peer['start']>>,
  sessions: Readonly<Record<Name, Session>>,
  run: (sessions: Readonly<Record<Name, Session>>) => Promise<void>,
): Promise<void> {
  if (name === undefined) return run(sessions);
  return withSession({ start: starts[name] }, async (session) =>
    withAll(others, starts, { ...sessions, [name]: session }, run),
  );
}

/** The median of these figures. */
export function medianOf(figures: readonly number[]): number {
  return spreadOf(figures)?.median ?? NaN;
}

/** The median of what each figure is to the one of the same round. */
export function medianRatio(figures: readonly number[], others: readonly number[]): number {
  return medianOf(figures.map((figure, round) => figure / (others[round] ?? NaN)));
}
