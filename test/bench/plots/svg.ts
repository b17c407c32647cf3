/** A line of a plot. */
export interface Series {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  /** What the axes say, with their units. */
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

const WIDTH = 680;
const HEIGHT = 340;
const LEFT = 70;
const RIGHT = 110;
const TOP = 40;
const BOTTOM = 55;
/** Each can be told from a white and from a black background, and from each other without their colours by the marks. */
const TEXT = '#75808c';
const COLOURS = ['#2f81d8', '#c9631a', '#2b9a5e', '#a05fd0'] as const;
const Y_STEPS = 5;

/** Where values lie in the picture: x is logarithmic, y begins with 0. */
interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly step: number;
  readonly top: number;
}

/** The plot as SVG, without a background, text as text. */
export function writePlot(plot: Plot): string {
  const scales = scalesOf(plot.series);
  const middle = (LEFT + WIDTH - RIGHT) / 2;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" font-family="sans-serif" font-size="12" fill="${TEXT}">`,
    `<title>${escapeText(plot.title)}</title>`,
    text(LEFT, 20, plot.title, 'font-size="14" font-weight="bold"'),
    ...yAxis(scales),
    ...xAxis(scales, plot.series),
    text(middle, HEIGHT - 12, plot.x, 'text-anchor="middle"'),
    text(0, 0, plot.y, `text-anchor="middle" transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)"`),
    ...plot.series.flatMap((series, index) => line(series, index, scales)),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function scalesOf(series: readonly Series[]): Scales {
  const points = series.flatMap((one) => one.points);
  const xs = points.map(([x]) => Math.log(x));
  const [least, greatest] = [Math.min(...xs), Math.max(...xs)];
  const step = niceStep(Math.max(1, ...points.map(([, y]) => y)) / Y_STEPS);
  const top = step * Math.ceil(Math.max(1, ...points.map(([, y]) => y)) / step);
  return {
    x: (value) => LEFT + ((WIDTH - LEFT - RIGHT) * (Math.log(value) - least)) / (greatest - least || 1),
    y: (value) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * Math.max(0, value)) / top,
    step,
    top,
  };
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}

function yAxis({ y, step, top }: Scales): string[] {
  const values = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  return values.flatMap((value) => [
    `<path d="M${LEFT} ${fixed(y(value))}H${WIDTH - RIGHT}" stroke="${TEXT}" stroke-opacity="${value === 0 ? 1 : 0.25}"/>`,
    text(LEFT - 8, y(value) + 4, value.toLocaleString('en'), 'text-anchor="end"'),
  ]);
}

function xAxis({ x }: Scales, series: readonly Series[]): string[] {
  const values = [...new Set(series.flatMap(({ points }) => points.map(([value]) => value)))];
  return values.flatMap((value) => [
    `<path d="M${fixed(x(value))} ${HEIGHT - BOTTOM}v5" stroke="${TEXT}"/>`,
    text(x(value), HEIGHT - BOTTOM + 18, value.toLocaleString('en'), 'text-anchor="middle"'),
  ]);
}

function line({ label, points }: Series, index: number, { x, y }: Scales): string[] {
  const colour = COLOURS[index % COLOURS.length] ?? TEXT;
  const places = points.map(([px, py]) => [fixed(x(px)), fixed(y(py))] as const);
  const [endX = '0', endY = '0'] = places.at(-1) ?? [];
  const path = places.map(([px, py]) => `${px} ${py}`).join('L');
  const marks = places.map(([px, py]) =>
    index % 2 === 0
      ? `<circle cx="${px}" cy="${py}" r="4" fill="${colour}"/>`
      : `<rect x="${Number(px) - 3.5}" y="${Number(py) - 3.5}" width="7" height="7" fill="${colour}"/>`,
  );
  return [
    `<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...marks,
    text(Number(endX) + 10, Number(endY) + 4, label, `fill="${colour}" font-weight="bold"`),
  ];
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escapeText(content)}</text>`;
}

function escapeText(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function fixed(value: number): string {
  return value.toFixed(1);
}
