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
  /** Whether the pointer is there, and not the keys. */
  readonly isPointed: boolean;
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
  const newest = times.length - 1;
  const found = times.indexOf(place.value?.time ?? 0);
  const index = found === -1 ? newest : found;
  const values = lines.map(({ name }, line) => `${t(name)} ${format(rows[line]?.[index] ?? null)}`);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    // Not from the index, for what the last key did may not be drawn yet.
    const from = times.indexOf(place.peek()?.time ?? 0);
    const time = times[Math.max(0, Math.min(newest, (from === -1 ? newest : from) + step))];
    place.value = time === undefined ? undefined : { time, isPointed: false };
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
        aria-valuemax={newest}
        aria-valuenow={index}
        aria-valuetext={`${timeOfDay(times[index] ?? 0)}: ${values.join(', ')}`}
        onKeyDown={onKeyDown}
        onBlur={() => (place.value = undefined)}
      >
        <Plot data={[times, ...rows]} place={place} {...plot} />
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

type PlotProps = Pick<ChartProps, 'rates' | 'lines' | 'isWhole' | 'place'> & {
  readonly data: uPlot.AlignedData;
};

function Plot({ data, place, rates, lines, isWhole = false }: PlotProps): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(data);
  latest.current = data;
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    let isGone = false;
    const onPoint = (time: number | undefined): void => {
      if (time !== undefined) place.value = { time, isPointed: true };
      else if (place.peek()?.isPointed) place.value = undefined;
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
  const newest = data[0].at(-1);
  // In a batch it is drawn at once, and the cursor is put where its second is by then.
  useEffect(() => plot.current?.batch((drawn: uPlot) => drawn.setData(data)), [newest]);
  useEffect(() => {
    if (plot.current) showCursor(plot.current, at?.time);
  }, [newest, at]);
  return <div ref={frame} aria-hidden="true" />;
}

/** Puts the cursor at the second that is looked at, which moves to the left as time goes on. */
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
