import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Rates, Series } from './rates.js';

/** One line of a chart. */
export interface Line {
  readonly name: 'lineLive' | 'lineReplayed' | 'lineP50' | 'lineP95';
  readonly values: (series: Series) => (number | null)[];
  /** A custom property of the style sheet. */
  readonly color: string;
  readonly isDashed: boolean;
}

/** "13:02", or "13:02:30" between two minutes. */
function timeOfDay(time: number): string {
  const date = new Date(time * 1_000);
  const seconds = date.getSeconds();
  const parts = [date.getHours(), date.getMinutes(), ...(seconds > 0 ? [seconds] : [])];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

export interface PlotOptions {
  /** CSS pixels. */
  readonly height: number;
  readonly lines: readonly Line[];
  /** When heartbeats came, and when the connection was lost. */
  readonly rates: Rates;
  /** Whether values are whole numbers. */
  readonly isWhole: boolean;
  /** Told which second the pointer has come to; undefined when it leaves. */
  readonly onPoint: (time: number | undefined) => void;
}

/** CSS pixels between two times of day below the chart. */
const TIME_SPACE = 64;

/** The steps of an axis of whole numbers. */
const WHOLE_STEPS = Array.from({ length: 8 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

/** CSS pixels of a heartbeat's tick, at the foot of the chart. */
const TICK = 5;

/** Lines over time that fill the element, in the colours of the page. */
export function makePlot(element: HTMLElement, data: uPlot.AlignedData, options: PlotOptions): uPlot {
  const { height, lines, rates, isWhole, onPoint } = options;
  // A canvas knows no custom properties, nor `light-dark()`, so an element that uses them gives the actual colour.
  const colored = (property: string) => (): string => {
    element.style.color = `var(${property})`;
    return getComputedStyle(element).color;
  };
  const axis: uPlot.Axis = {
    stroke: colored('--faint'),
    grid: { stroke: colored('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  const series = lines.map(({ color, isDashed }) => ({
    stroke: colored(color),
    width: 1.5,
    // Of what is measured now and then, a line alone would show nothing.
    points: { size: 4, show: !isWhole },
    spanGaps: false,
    dash: isDashed ? [4, 3] : [],
  }));
  const drawMarks = (plot: uPlot): void => {
    const { height: whole } = plot.bbox;
    mark(plot, rates.timesOf('beats'), { color: colored('--faint')(), height: TICK * uPlot.pxRatio });
    mark(plot, rates.timesOf('losses'), { color: colored('--bad')(), height: whole });
  };
  const plot = new uPlot(
    {
      width: element.clientWidth,
      height,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { y: { range: (_plot, _least, most) => [0, (most ?? 1) * 1.1] } },
      axes: [
        { ...axis, size: 28, space: TIME_SPACE, values: (_plot, times) => times.map(timeOfDay) },
        { ...axis, size: 44, ...(isWhole && { incrs: WHOLE_STEPS }) },
      ],
      hooks: { draw: [drawMarks] },
      series: [{}, ...series],
    },
    data,
    element,
  );
  // uPlot's own hook is called as well when the page has moved the cursor, as it does for the keys.
  plot.over.addEventListener('mousemove', ({ offsetX }) => onPoint(plot.data[0][plot.posToIdx(offsetX)]));
  plot.over.addEventListener('mouseleave', () => onPoint(undefined));
  return plot;
}

/** Vertical lines from the foot of the chart up. */
function mark(plot: uPlot, times: readonly number[], { color, height }: { color: string; height: number }): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = color;
  const top = bbox.top + bbox.height - height;
  for (const time of times) ctx.fillRect(plot.valToPos(time, 'x', true), top, uPlot.pxRatio, height);
  ctx.restore();
}
