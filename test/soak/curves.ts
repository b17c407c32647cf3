import type { Sample } from './measure/soak-hub.js';
import type { Course } from './measure/verdict.js';

const MEGABYTE = 1024 ** 2;

interface Panel {
  readonly title: string;
  readonly value: (sample: Sample) => number;
}

const PANELS: readonly Panel[] = [
  { title: 'heap and outside of it (MB)', value: ({ heap, external }) => (heap + external) / MEGABYTE },
  { title: 'resident, its own (MB)', value: ({ resident }) => resident / MEGABYTE },
  { title: 'handles', value: ({ handles }) => handles },
  { title: 'descriptors', value: ({ descriptors }) => descriptors },
  { title: 'streams that are open', value: ({ streams }) => streams },
  { title: 'journal outside of the process (MB)', value: ({ journal }) => journal / MEGABYTE },
];

const COLUMNS = 2;
const WIDTH = 340;
const HEIGHT = 170;
const LEFT = 50;
const RIGHT = 14;
const TOP = 34;
const BOTTOM = 24;
const HEAD = 30;
const FOOT = 20;
/** Can be told from a white and from a black background. */
const TEXT = '#75808c';
const LOADED = '#2f81d8';
const IDLE = '#c9631a';

/** The curves of a soak as SVG: each measure of the loaded hub, and of the idle one as a dashed line. */
export function drawCurves(title: string, loaded: Course, idle: Course): string {
  const width = COLUMNS * WIDTH;
  const height = HEAD + Math.ceil(PANELS.length / COLUMNS) * HEIGHT + FOOT;
  const legend = `solid: under load; dashed: idle; from 0 to ${(loaded.samples.at(-1)?.minutes ?? 0).toFixed(0)} minutes`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="sans-serif" font-size="11" fill="${TEXT}">`,
    `<title>${title}</title>`,
    `<text x="10" y="20" font-size="14" font-weight="bold">${title}</text>`,
    ...PANELS.map((panel, index) => {
      const place = `${(index % COLUMNS) * WIDTH} ${HEAD + Math.floor(index / COLUMNS) * HEIGHT}`;
      return `<g transform="translate(${place})">${draw(panel, loaded, idle)}</g>`;
    }),
    `<text x="10" y="${height - 6}">${legend}</text>`,
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function draw({ title, value }: Panel, loaded: Course, idle: Course): string {
  const top = niceTop(Math.max(1, ...[...loaded.samples, ...idle.samples].map(value)));
  const last = Math.max(1e-9, ...loaded.samples.map(({ minutes }) => minutes));
  const x = (minutes: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * Math.min(minutes, last)) / last;
  const y = (amount: number): number => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * amount) / top;
  const grid = [0, top / 2, top].map((amount) => {
    const line = `<path d="M${LEFT} ${y(amount).toFixed(1)}H${WIDTH - RIGHT}" stroke="${TEXT}" stroke-opacity="0.3"/>`;
    return `${line}<text x="${LEFT - 6}" y="${(y(amount) + 4).toFixed(1)}" text-anchor="end">${amount.toLocaleString('en')}</text>`;
  });
  const curve = (samples: readonly Sample[], style: string): string => {
    const path = samples.map((sample) => `${x(sample.minutes).toFixed(1)} ${y(value(sample)).toFixed(1)}`).join('L');
    return `<path d="M${path}" fill="none" stroke-width="1.5" ${style}/>`;
  };
  return [
    `<text x="${LEFT}" y="${TOP - 12}" font-weight="bold">${title}</text>`,
    ...grid,
    curve(idle.samples, `stroke="${IDLE}" stroke-dasharray="4 3"`),
    curve(loaded.samples, `stroke="${LOADED}"`),
    `<text x="${LEFT}" y="${HEIGHT - 8}">0</text>`,
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 8}" text-anchor="end">${last.toFixed(0)} min</text>`,
  ].join('');
}

/** 1, 2, 4, 5 or 8 times a power of ten: a round number that holds the greatest value. */
function niceTop(greatest: number): number {
  const power = 10 ** Math.floor(Math.log10(greatest));
  return power * ([1, 2, 4, 5, 6, 8].find((factor) => factor * power >= greatest) ?? 10);
}
