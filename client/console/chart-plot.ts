import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

/** "13:02" */
function timeOfDay(seconds: number): string {
  const date = new Date(seconds * 1_000);
  return [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':');
}

export interface PlotOptions {
  /** CSS pixels. */
  readonly height: number;
  /** A custom property of the style sheet. */
  readonly color: string;
  /** Where there are to be vertical lines, in seconds since the epoch. */
  readonly marks: () => readonly number[];
}

/** A line over time that fills the element, in the colours of the page. */
export function makePlot(element: HTMLElement, data: uPlot.AlignedData, { height, color, marks }: PlotOptions): uPlot {
  // A canvas has no custom properties, nor `light-dark()`: what they come to is asked of an element that uses them.
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
  return new uPlot(
    {
      width: element.clientWidth,
      height,
      legend: { show: false },
      cursor: { show: false },
      scales: { y: { range: (_plot, _least, most) => [0, Math.max(1, (most ?? 0) * 1.1)] } },
      axes: [
        { ...axis, size: 28, values: (_plot, times) => times.map(timeOfDay) },
        { ...axis, size: 44 },
      ],
      hooks: { draw: [(plot) => drawMarks(plot, marks(), colored('--bad')())] },
      series: [{}, { stroke: colored(color), width: 1.5, points: { size: 4 }, spanGaps: false }],
    },
    data,
    element,
  );
}

function drawMarks(plot: uPlot, times: readonly number[], color: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = color;
  for (const time of times) ctx.fillRect(plot.valToPos(time, 'x', true), bbox.top, uPlot.pxRatio, bbox.height);
  ctx.restore();
}
