import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { Chart, type Place } from './chart.js';
import { clock } from './hooks.js';
import type { Line } from './chart-plot.js';
import type { Rates } from './rates.js';
import type { Session } from './session.js';
import { t } from './translation.js';

/** The last seconds that the summary in words covers. */
const TOLD = 60;

const RATE: readonly Line[] = [
  { name: 'lineLive', values: ({ live }) => live, color: '--accent', isDashed: false },
  { name: 'lineReplayed', values: ({ replayed }) => replayed, color: '--warn', isDashed: true },
];

const LATENCY: readonly Line[] = [
  { name: 'lineP50', values: ({ p50 }) => p50, color: '--good', isDashed: false },
  { name: 'lineP95', values: ({ p95 }) => p95, color: '--warn', isDashed: true },
];

/** Rate and latency since the first message, for five minutes at most, and in words for those who can't see a chart. */
export function Charts({ session }: { session: Session }): JSX.Element {
  const { rates } = session;
  const place = useSignal<Place | undefined>(undefined);
  return (
    <div class="charts">
      <Chart
        title={t('chartRate')}
        empty={t('chartNoMessages')}
        rates={rates}
        lines={RATE}
        isWhole
        format={(count) => t('perSecond', { n: count ?? 0 })}
        place={place}
      />
      <Chart
        title={t('chartLatency')}
        empty={t('chartNoLatency')}
        rates={rates}
        lines={LATENCY}
        format={inMilliseconds}
        place={place}
      />
      <Words rates={rates} />
    </div>
  );
}

function Words({ rates }: { rates: Rates }): JSX.Element {
  // Each second is told anew.
  void clock.value;
  const { live, replayed } = rates.last(TOLD);
  return (
    <>
      <p class="faint" id="chart-words">
        {t('chartTable', {
          live: sum(live),
          replayed: sum(replayed),
          peak: Math.max(...live.map((count, index) => count + (replayed[index] ?? 0))),
          p50: inMilliseconds(rates.latency(TOLD, 50)),
          p95: inMilliseconds(rates.latency(TOLD, 95)),
        })}
      </p>
      <p class="faint" id="chart-marks">
        {t('chartMarks', { losses: rates.timesOf('losses').length, beats: rates.timesOf('beats').length })}
      </p>
    </>
  );
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function inMilliseconds(latency: number | null): string {
  return latency === null ? t('none') : t('milliseconds', { n: latency });
}
