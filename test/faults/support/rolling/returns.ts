import type { Restart } from './rolling.js';

const SECOND = 1_000;

/** The most that come in any of the seconds since the beginning. */
export function mostInASecond(times: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const time of times) {
    const second = Math.floor(time / SECOND);
    counts.set(second, (counts.get(second) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

const WIDTH = 680;
const HEIGHT = 130;
const LEFT = 46;
const RIGHT = 14;
const TOP = 34;
const BOTTOM = 24;
/** Bars of the plot, in milliseconds. */
const BAR = 250;
/** Can be told from a white and from a black background. */
const TEXT = '#75808c';
const BARS = '#2f81d8';
const LIMIT = '#c9631a';

/** How many readers came back in each quarter of a second after the signal, for each process, as SVG. */
export function drawReturns(title: string, restarts: readonly Restart[], window: number): string {
  const height = 30 + restarts.length * HEIGHT + 20;
  const longest = Math.max(...restarts.flatMap(({ comings }) => comings), window) + BAR;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="sans-serif" font-size="11" fill="${TEXT}">`,
    `<title>${title}</title>`,
    `<text x="10" y="20" font-size="14" font-weight="bold">${title}</text>`,
    ...restarts.map(
      (restart, index) =>
        `<g transform="translate(0 ${30 + index * HEIGHT})">${panel(restart, index, { window, longest })}</g>`,
    ),
    `<text x="10" y="${height - 6}">readers in each quarter of a second, by seconds after SIGTERM; dashed: 1.5 times what would be even</text>`,
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function panel(
  { readers, ended, ready, comings }: Restart,
  index: number,
  { window, longest }: { readonly window: number; readonly longest: number },
): string {
  const counts = Array.from({ length: Math.ceil(longest / BAR) }, () => 0);
  for (const time of comings) counts[Math.floor(time / BAR)] = (counts[Math.floor(time / BAR)] ?? 0) + 1;
  const limit = (1.5 * readers * BAR) / window;
  const top = Math.max(limit, ...counts) * 1.1;
  const x = (time: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * time) / longest;
  const y = (count: number): number => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * count) / top;
  const bars = counts.map((count, bar) => {
    const place = `x="${x(bar * BAR).toFixed(1)}" y="${y(count).toFixed(1)}"`;
    const size = `width="${(x(BAR) - x(0) - 1).toFixed(1)}" height="${(HEIGHT - BOTTOM - y(count)).toFixed(1)}"`;
    return `<rect ${place} ${size} fill="${BARS}"/>`;
  });
  const seconds = Array.from({ length: Math.floor(longest / SECOND) + 1 }, (_, second) => second);
  const axis = seconds.map(
    (second) => `<text x="${x(second * SECOND).toFixed(1)}" y="${HEIGHT - 8}" text-anchor="middle">${second}</text>`,
  );
  const about = `process ${index + 1}: ${readers} readers, ended after ${(ended / SECOND).toFixed(1)} s, ready again after ${(ready / SECOND).toFixed(1)} s`;
  return [
    `<text x="${LEFT}" y="20">${about}</text>`,
    ...bars,
    `<path d="M${LEFT} ${y(limit).toFixed(1)}H${WIDTH - RIGHT}" stroke="${LIMIT}" stroke-dasharray="4 3"/>`,
    `<path d="M${LEFT} ${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" stroke="${TEXT}"/>`,
    `<text x="${LEFT - 6}" y="${(y(limit) + 4).toFixed(1)}" text-anchor="end">${limit.toFixed(0)}</text>`,
    ...axis,
  ].join('');
}
