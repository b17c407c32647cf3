import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { clock } from './hooks.js';
import { type Rates, SECONDS } from './rates.js';
import type { Session } from './session.js';
import { t } from './translation.js';

const HEIGHT = 150;

/** Rate and latency of the last five minutes, and in words for those who can't see a chart. */
export function Charts({ session }: { session: Session }): JSX.Element {
  void clock.value;
  const { counts, latencies } = session.rates.last(60);
  const known = latencies.filter((latency) => latency !== null);
  return (
    <div class="charts">
      <h3>{t('chartRate')}</h3>
      <Chart rates={session.rates} values={(data) => data.counts} color="--accent" />
      <h3>{t('chartLatency')}</h3>
      <Chart rates={session.rates} values={(data) => data.latencies} color="--good" />
      <p class="faint" id="chart-words">
        {t('chartTable', {
          n: counts.reduce((sum, count) => sum + count, 0),
          peak: Math.max(...counts),
          latency: known.length > 0 ? t('milliseconds', { n: Math.max(...known) }) : t('none'),
        })}
      </p>
      <p class="faint">{t('chartLosses', { n: session.rates.lossTimes().length })}</p>
    </div>
  );
}

interface ChartProps {
  readonly rates: Rates;
  readonly values: (data: ReturnType<Rates['last']>) => (number | null)[];
  /** A custom property of the style sheet. */
  readonly color: string;
}

function Chart({ rates, values, color }: ChartProps): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const dataNow = (): uPlot.AlignedData => {
    const data = rates.last(SECONDS);
    return [data.times, values(data)];
  };
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    let isGone = false;
    // Apart from the rest: it is as large as that, and not everybody looks at charts.
    const draw = async (): Promise<void> => {
      const { makePlot } = await import('./chart-plot.js');
      if (!isGone)
        plot.current = makePlot(element, dataNow(), { height: HEIGHT, color, marks: () => rates.lossTimes() });
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
  return <div class="chart" ref={frame} aria-hidden="true" />;
}
