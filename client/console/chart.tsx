import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import type { Line } from './chart-plot.js';
import { clock } from './hooks.js';
import type { Rates } from './rates.js';
import { t } from './translation.js';

const HEIGHT = 150;

/** A second that somebody looks at, in all charts. */
export interface Place {
  /** Seconds since the epoch. */
  readonly time: number;
  /** The chart that the pointer is in. Undefined where it was reached by keys. */
  readonly pointed?: string;
}

interface ChartProps {
  readonly title: string;
  /** What is said while there is nothing to draw. */
  readonly empty: string;
  readonly rates: Rates;
  readonly lines: readonly Line[];
  /** Whether values are whole numbers. */
  readonly isWhole?: boolean;
  readonly format: (value: number | null) => string;
  readonly place: Signal<Place | undefined>;
}

/** Lines over time, and their values at one second: the last one, or where the pointer or the arrow keys have gone. */
export function Chart({ title, empty, format, place, ...plot }: ChartProps): JSX.Element {
  const { rates, lines } = plot;
  // Each second is drawn anew.
  void clock.value;
  const series = rates.last(rates.span);
  const rows = lines.map((line) => line.values(series));
  if (rows.every((values) => values.every((value) => !value))) {
    return (
      <section>
        <h3>{title}</h3>
        <p class="chart-empty">{empty}</p>
      </section>
    );
  }
  const { times } = series;
  const found = place.value ? times.indexOf(place.value.time) : -1;
  const index = found === -1 ? times.length - 1 : found;
  const values = lines.map(({ name }, line) => `${t(name)} ${format(rows[line]?.[index] ?? null)}`);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const time = times[Math.max(0, Math.min(times.length - 1, index + step))];
    place.value = time === undefined ? undefined : { time };
  };
  return (
    <section>
      <div class="chart-title">
        <h3>{title}</h3>
        <span class="chart-at">{found === -1 ? '' : timeOfDay(times[found] ?? 0)}</span>
      </div>
      <div
        role="slider"
        tabIndex={0}
        class="chart"
        aria-label={t('chartKeys', { title })}
        aria-valuemin={0}
        aria-valuemax={times.length - 1}
        aria-valuenow={index}
        aria-valuetext={`${timeOfDay(times[index] ?? 0)}: ${values.join(', ')}`}
        onKeyDown={onKeyDown}
        onBlur={() => (place.value = undefined)}
      >
        <Plot title={title} data={[times, ...rows]} place={place} {...plot} />
      </div>
      <ul class="legend" aria-hidden="true">
        {lines.map(({ name, color, isDashed }, line) => (
          <li key={name}>
            <span data-dashed={isDashed} style={{ color: `var(${color})` }} />
            {t(name)} <strong>{format(rows[line]?.[index] ?? null)}</strong>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** How many seconds the keys go. */
const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: -Infinity,
  End: Infinity,
};

type PlotProps = Pick<ChartProps, 'title' | 'rates' | 'lines' | 'isWhole' | 'place'> & {
  readonly data: uPlot.AlignedData;
};

function Plot({ title, data, place, rates, lines, isWhole = false }: PlotProps): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    let isGone = false;
    const onPoint = (time: number | undefined): void => {
      if (time !== undefined) place.value = { time, pointed: title };
      else if (place.peek()?.pointed === title) place.value = undefined;
    };
    // Loaded by itself, because it is as large as the rest of the console, and not everybody looks at charts.
    const draw = async (): Promise<void> => {
      const { makePlot } = await import('./chart-plot.js');
      if (!isGone) plot.current = makePlot(element, latest.current, { height: HEIGHT, lines, rates, isWhole, onPoint });
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
  const at = place.value;
  useEffect(() => {
    plot.current?.setData(data);
    if (plot.current && at?.pointed !== title) showCursor(plot.current, at?.time);
  }, [data[0].at(-1), at]);
  return <div ref={frame} aria-hidden="true" />;
}

/** Puts the cursor where another chart, or the keyboard, has it. */
function showCursor(plot: uPlot, time: number | undefined): void {
  const left = time === undefined ? -10 : plot.valToPos(time, 'x');
  plot.setCursor({ left, top: time === undefined ? -10 : 0 }, false);
}

/** "13:02:30" */
function timeOfDay(time: number): string {
  const date = new Date(time * 1_000);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
