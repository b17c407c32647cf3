import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { clock } from './hooks.js';
import { type Rates, type Series, SECONDS } from './rates.js';
import type { Session } from './session.js';
import { t } from './translation.js';

const HEIGHT = 150;

/** The last seconds that the summary in words covers. */
const TOLD = 60;

/** One line of a chart. */
export interface Line {
  readonly name: 'lineLive' | 'lineReplayed' | 'lineP50' | 'lineP95';
  readonly values: (series: Series) => (number | null)[];
  /** A custom property of the style sheet. */
  readonly color: string;
  readonly isDashed: boolean;
}

const RATE: readonly Line[] = [
  { name: 'lineLive', values: ({ live }) => live, color: '--accent', isDashed: false },
  { name: 'lineReplayed', values: ({ replayed }) => replayed, color: '--warn', isDashed: true },
];

const LATENCY: readonly Line[] = [
  { name: 'lineP50', values: ({ p50 }) => p50, color: '--good', isDashed: false },
  { name: 'lineP95', values: ({ p95 }) => p95, color: '--warn', isDashed: true },
];

/** Rate and latency of the last five minutes, and in words for those who can't see a chart. */
export function Charts({ session }: { session: Session }): JSX.Element {
  void clock.value;
  const { rates } = session;
  const { live, replayed } = rates.last(TOLD);
  return (
    <div class="charts">
      <h3>{t('chartRate')}</h3>
      <Chart rates={rates} lines={RATE} />
      <h3>{t('chartLatency')}</h3>
      <Chart rates={rates} lines={LATENCY} />
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
    </div>
  );
}

function Chart({ rates, lines }: { rates: Rates; lines: readonly Line[] }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const dataNow = (): uPlot.AlignedData => {
    const series = rates.last(SECONDS);
    return [series.times, ...lines.map(({ values }) => values(series))];
  };
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    let isGone = false;
    // Loaded by itself, because it is as large as the rest of the console, and not everybody looks at charts.
    const draw = async (): Promise<void> => {
      const { makePlot } = await import('./chart-plot.js');
      if (!isGone) plot.current = makePlot(element, dataNow(), { height: HEIGHT, lines, rates });
    };
    void draw();
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      isGone = true;
      observer.disconnect();
      plot.current?.destroy();
    };
  }, []);
  const now = clock.value;
  useEffect(() => plot.current?.setData(dataNow()), [now]);
  return (
    <>
      <div class="chart" ref={frame} aria-hidden="true" />
      <ul class="legend" aria-hidden="true">
        {lines.map(({ name, color, isDashed }) => (
          <li key={name}>
            <span data-dashed={isDashed} style={{ color: `var(${color})` }} />
            {t(name)}
          </li>
        ))}
      </ul>
    </>
  );
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function inMilliseconds(latency: number | null): string {
  return latency === null ? t('none') : t('milliseconds', { n: latency });
}
