import { language } from './translation.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds in whole units: "42 sec", "4 min", "2 hr". It takes about the same room whatever it is. */
export function formatAge(milliseconds: number): string {
  const age = Math.max(0, milliseconds);
  if (age < 100 * SECOND) return unit(age / SECOND, 'second');
  if (age < 100 * MINUTE) return unit(age / MINUTE, 'minute');
  return age < 2 * DAY ? unit(age / HOUR, 'hour') : unit(age / DAY, 'day');
}

function unit(value: number, name: string): string {
  const options = { style: 'unit', unit: name, unitDisplay: 'short' } as const;
  return new Intl.NumberFormat(language.value, options).format(Math.floor(value));
}
