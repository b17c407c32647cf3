import { en, zhCN, type TextKey, type Texts } from './texts.js';

const TEXTS = { en, 'zh-CN': zhCN } satisfies Record<string, Texts>;

/** BCP 47 tags of the languages that the page speaks. */
export type Language = keyof typeof TEXTS;

/** The keys that exist once for each plural form, without their ending. */
type PluralKey = TextKey extends infer Key ? (Key extends `${infer Stem}_other` ? Stem : never) : never;

type Values = Readonly<Record<string, string>>;

/** Whether the page speaks the language of this tag, as `Language` spells it. */
export function isLanguage(tag: string | null): tag is Language {
  return tag !== null && Object.hasOwn(TEXTS, tag);
}

/** The first of the reader's `preferred` languages (BCP 47 tags, best first) that the page speaks, else English. */
export function pickLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const primary = tag.toLowerCase().split('-')[0];
    if (primary === 'zh') return 'zh-CN';
    if (primary === 'en') return 'en';
  }
  return 'en';
}

/** Texts, numbers and times as readers of one language expect them. */
export class Translator {
  private readonly texts: Texts;
  private readonly plurals: Intl.PluralRules;
  private readonly numbers: Intl.NumberFormat;
  private readonly milliseconds: Intl.NumberFormat;
  private readonly times: Intl.DateTimeFormat;
  private readonly dates: Intl.DateTimeFormat;
  private readonly zones: Intl.DateTimeFormat;

  /** `timeZone` is the reader's own unless given. */
  constructor(
    readonly language: Language,
    timeZone?: string,
  ) {
    const zone = timeZone === undefined ? {} : { timeZone };
    this.texts = TEXTS[language];
    this.plurals = new Intl.PluralRules(language);
    this.numbers = new Intl.NumberFormat(language);
    this.milliseconds = new Intl.NumberFormat(language, {
      style: 'unit',
      unit: 'millisecond',
      signDisplay: 'always',
      maximumFractionDigits: 0,
    });
    this.times = new Intl.DateTimeFormat(language, { timeStyle: 'medium', hourCycle: 'h23', ...zone });
    this.dates = new Intl.DateTimeFormat(language, {
      weekday: 'long',
      year: 'numeric',
      month: 'long',
      day: 'numeric',
      ...zone,
    });
    this.zones = new Intl.DateTimeFormat(language, { timeZoneName: 'short', ...zone });
  }

  /** The text with its `{placeholders}` filled in. */
  text(key: TextKey, values: Values = {}): string {
    return this.texts[key].replace(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder);
  }

  /** The text in the plural form that fits `n`, which fills `{n}`. */
  count(key: PluralKey, n: number, values: Values = {}): string {
    const form = this.plurals.select(n) === 'one' ? 'one' : 'other';
    return this.text(`${key}_${form}`, { n: this.numbers.format(n), ...values });
  }

  /** Milliseconds in the unit that says it best: "0.4 seconds", "12 seconds", "3 minutes". */
  duration(ms: number): string {
    const seconds = ms / 1000;
    if (seconds < 90) return this.unit(seconds, 'second', seconds < 1 ? 1 : 0);
    if (seconds < 90 * 60) return this.unit(seconds / 60, 'minute', 0);
    return this.unit(seconds / 3600, 'hour', 1);
  }

  /** "+3 ms" */
  latency(ms: number): string {
    return this.milliseconds.format(ms);
  }

  /** "13:02:03" */
  time(timestamp: number): string {
    return this.times.format(timestamp);
  }

  /** "Monday, November 23, 2026 · GMT+8" */
  date(timestamp: number): string {
    const zone = this.zones.formatToParts(timestamp).find(({ type }) => type === 'timeZoneName');
    return `${this.dates.format(timestamp)} · ${zone?.value ?? ''}`;
  }

  private unit(value: number, unit: string, maximumFractionDigits: number): string {
    const options = { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits } as const;
    return new Intl.NumberFormat(this.language, options).format(value);
  }
}
