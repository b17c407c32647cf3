import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

/** "13:02" */
function timeOfDay(seconds: number): string {
  const date = new Date(seconds * 1_000);
  return [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** A line over time that fills the element, in the colours of the page. */
export function makePlot(
  element: HTMLElement,
  data: uPlot.AlignedData,
  { height, color }: { readonly height: number; readonly color: string },
): uPlot {
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
      series: [{}, { stroke: colored(color), width: 1.5, points: { size: 4 }, spanGaps: false }],
    },
    data,
    element,
  );
}
