import type { Metric, Unit } from './scenarios/scenario.js';
import type { Spread } from './statistics.js';

/** One row of a Markdown table. */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** What a figure is, with its unit. */
export function unitLabel({ label, unit }: Metric): string {
  const suffix: Record<Unit, string> = {
    'per second': '',
    kibibytes: ' (KiB)',
    mebibytes: ' (MiB)',
    milliseconds: ' (ms)',
    microseconds: ' (µs)',
    percent: ' (%)',
    count: '',
    ratio: '',
  };
  return label + suffix[unit];
}

/** The median and, where runs differ, the least and the greatest. */
export function writeSpread(spread: Spread | undefined, unit: Unit): string {
  if (spread === undefined) return '—';
  const { median, least, greatest } = spread;
  const middle = writeNumber(median, unit);
  return least === greatest ? middle : `${middle} (${writeNumber(least, unit)}–${writeNumber(greatest, unit)})`;
}

const DIGITS: Record<Unit, number> = {
  'per second': 0,
  kibibytes: 2,
  mebibytes: 1,
  milliseconds: 2,
  microseconds: 1,
  percent: 2,
  count: 0,
  ratio: 2,
};

/** A number with the digits that its unit deserves. */
export function writeNumber(value: number, unit: Unit): string {
  return value.toLocaleString('en', { minimumFractionDigits: 0, maximumFractionDigits: DIGITS[unit] });
}
