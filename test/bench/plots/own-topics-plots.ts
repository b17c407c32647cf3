import { startHerald } from '../peers/herald.js';
import { nchan } from '../peers/nchan.js';
import type { Peer } from '../peers/peer.js';
import { say } from '../say.js';
import { ROOM } from '../scenarios/m-own-topics.js';
import { measureReturning, type Returning } from '../scenarios/returning.js';
import { save } from './save.js';
import type { Series } from './svg.js';

const MISSED = 50;
const Y = 'server CPU beyond connecting (ms)';

/** One plot: where it is written, what it says, and what the readers come back to for each value of its x axis. */
interface Measured {
  readonly file: string;
  readonly title: string;
  readonly x: string;
  readonly values: readonly number[];
  readonly returning: (value: number) => Returning;
  /** nchan is not measured with more than this value: it takes one update a request. */
  readonly mostNchan: number;
}

const PLOTS: readonly Measured[] = [
  {
    file: 'returning-readers.svg',
    title: 'Readers with a topic each come back for 50 updates each',
    x: 'readers',
    values: [250, 500, 1_000, 2_000, 4_000],
    returning: (readers) => ({ readers, missed: MISSED }),
    mostNchan: Infinity,
  },
  {
    file: 'returning-topics.svg',
    title: '1,000 readers come back for 50 updates each of 100,000',
    x: 'topics in the log',
    values: [2_000, 6_000, 11_000, 26_000, 51_000],
    returning: (topics) => ({ readers: 1_000, missed: MISSED, others: { updates: 50_000, topics: topics - 1_000 } }),
    // It answered 500 while 51,000 channels were filled.
    mostNchan: 26_000,
  },
  {
    file: 'returning-held.svg',
    title: '200 readers come back for 50 updates each of all that came meanwhile',
    x: 'updates that came meanwhile',
    values: [10_000, 30_000, 100_000, 300_000, 1_000_000],
    returning: (held) => ({
      readers: 200,
      missed: MISSED,
      ...(held > 200 * MISSED ? { others: { updates: held - 200 * MISSED, topics: 1_000 } } : {}),
    }),
    mostNchan: 100_000,
  },
];

/** Coming back to a topic of one's own, against readers, topics and updates. */
export async function plotOwnTopics(): Promise<void> {
  for (const measured of PLOTS) {
    const { file, title, x } = measured;
    const series = [await seriesOf('Herald', { start: async () => startHerald(ROOM) }, measured, Infinity)];
    if (nchan.missing() === undefined) series.push(await seriesOf('nchan', nchan, measured, measured.mostNchan));
    await save(file, { title, x, y: Y, series });
  }
}

async function seriesOf(
  label: string,
  peer: Pick<Peer, 'start'>,
  { file, values, returning }: Measured,
  most: number,
): Promise<Series> {
  const points: [number, number][] = [];
  for (const value of values.filter((one) => one <= most)) {
    const { cold, warm, lost, violations } = await measureReturning(peer, returning(value));
    say(`${file}, ${label}, ${value}: ${warm.toFixed(0)} ms (the first time ${cold.toFixed(0)})`);
    if (lost > 0 || violations > 0) throw new Error(`${lost} events were lost, and ${violations} out of order`);
    points.push([value, warm]);
  }
  return { label, points };
}
