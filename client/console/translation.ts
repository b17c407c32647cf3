import { signal } from '@preact/signals';
import { type Language } from '../src/language.js';
import { en, type Text, type TextKey, type Texts, zhCN } from './texts.js';

const TEXTS: Readonly<Record<Language, Texts>> = { en, 'zh-CN': zhCN };

/** The reader's language, which the page's header sets. */
export const language = signal<Language>('en');

/**
 * The text in the reader's language, with its `{placeholders}` filled in; numbers as that language writes them. A text
 * with several forms has the one that fits the number `n`.
 */
export function t(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  return formOf(TEXTS[language.value][key], values['n']).replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = values[name];
    return typeof value === 'number' ? formatNumber(value) : (value ?? placeholder);
  });
}

function formOf(text: Text, n: string | number | undefined): string {
  if (typeof text === 'string') return text;
  const form = typeof n === 'number' ? new Intl.PluralRules(language.value).select(n) : 'other';
  return form === 'one' ? text.one : text.other;
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: 1 }).format(value);
}

/** Milliseconds as "3.2 s", "4 min", "2 h". */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1_000;
  if (seconds < 90) return unit(seconds, 'second', seconds < 10 ? 1 : 0);
  if (seconds < 5_400) return unit(seconds / 60, 'minute', 0);
  return unit(seconds / 3_600, 'hour', 1);
}

/** A point in time with its day, as the language writes it. A number that is no time is given as it is. */
export function formatMoment(time: number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return String(time);
  return new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'medium' }).format(date);
}

/** "13:02:03.412" */
export function formatTime(time: number): string {
  const date = new Date(time);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0'));
  return `${parts.join(':')}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function unit(value: number, name: string, maximumFractionDigits: number): string {
  const options = { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits } as const;
  return new Intl.NumberFormat(language.value, options).format(value);
}
