import { startBare } from '../bare/bare.js';
import { startHerald } from '../peers/herald.js';
import type { Peer } from '../peers/peer.js';
import { say } from '../say.js';
import { measureDashboards } from '../scenarios/n-conflation.js';
import { costOfSingles } from '../scenarios/o-publishing.js';
import { costsOfStreams, STREAMS } from '../scenarios/p-connecting.js';
import { measureStorm } from '../scenarios/q-storms.js';
import { FULL_EFFORT } from '../scenarios/scenario.js';
import { save } from './save.js';
import type { Series } from './svg.js';

/** Herald, and the hub in bare `node:http` that is beside it in each of these scenarios. */
const HUBS: readonly (readonly [label: string, start: Peer['start']])[] = [
  ['Herald', async () => startHerald()],
  ['bare Node', startBare],
];

/** Which thousands of streams are shown: on a logarithmic axis there is no room for all. */
const THOUSANDS = [1, 2, 3, 5, 7, 10, 15];

/** The processor's share against the offers that a reader gets in a second; one without `max_rate` gets each update. */
export async function plotConflation(): Promise<void> {
  const rates = [0.5, 1, 2, 5, 10, 20];
  const every = (await measureDashboards(FULL_EFFORT, '', false)).busy;
  say(`all updates: ${every.toFixed(1)} %`);
  const conflated = await points(rates, async (rate) => {
    return (await measureDashboards(FULL_EFFORT, `&max_rate=${rate}`, true)).busy;
  });
  await save('conflation.svg', {
    title: '1,000 readers of 100 topics with 1,000 updates a second',
    x: 'max_rate (offers a second)',
    y: 'server CPU (% of a core)',
    series: [
      { label: 'with max_rate', points: conflated },
      { label: 'all updates', points: rates.map((rate) => [rate, every] as const) },
    ],
  });
}

/** What a publication costs against how many come at once. */
export async function plotPublishing(): Promise<void> {
  await save('publishing.svg', {
    title: 'A publication of 100 bytes that nobody reads',
    x: 'publications at once',
    y: 'server CPU (µs)',
    series: await seriesOf((start) =>
      points([1, 2, 4, 8, 16, 32, 64], (publishers) => costOfSingles(start, { publishers, topics: 1, readers: 0 })),
    ),
  });
}

/** What a stream costs against how many the process has begun before. */
export async function plotConnecting(): Promise<void> {
  await save('connecting.svg', {
    title: 'A stream over a new connection, 50 at a time',
    x: 'streams since the start of the process',
    y: 'server CPU for a stream (µs)',
    series: await seriesOf(async (start) => {
      const costs = await costsOfStreams(start);
      return THOUSANDS.map((nth) => [nth * STREAMS, costs[nth - 1] ?? NaN] as const);
    }),
  });
}

/** How late live readers get what is published while a crowd comes, against the size of the crowd. */
export async function plotStorms(): Promise<void> {
  await save('storms.svg', {
    title: '500 live readers with 20 events a second while a crowd comes at once',
    x: 'streams that come in one instant',
    y: 'p99 of the live readers (ms)',
    series: await seriesOf((start) =>
      points([250, 500, 1_000, 2_000, 4_000], async (size) => (await measureStorm(start, false, size)).p99),
    ),
  });
}

/** One hub after the other, because they would disturb each other. */
async function seriesOf(measure: (start: Peer['start']) => Promise<Series['points']>): Promise<Series[]> {
  const series: Series[] = [];
  for (const [label, start] of HUBS) {
    say(label);
    series.push({ label, points: await measure(start) });
  }
  return series;
}

async function points(xs: readonly number[], measure: (x: number) => Promise<number>): Promise<[number, number][]> {
  const found: [number, number][] = [];
  for (const x of xs) {
    const y = await measure(x);
    say(`${x}: ${y.toFixed(1)}`);
    found.push([x, y]);
  }
  return found;
}
