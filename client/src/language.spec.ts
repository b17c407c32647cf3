import { describe, expect, it } from '@jest/globals';
import { isLanguage, pickLanguage, Translator } from './language.js';
import { en, zhCN, type TextKey } from './texts.js';

const AFTERNOON = Date.UTC(2026, 10, 23, 13, 2, 3, 456);

function placeholders(text: string): string[] {
  return (text.match(/\{\w+\}/g) ?? []).toSorted();
}

describe('pickLanguage', () => {
  it.each([
    [['zh-CN', 'en'], 'zh-CN'],
    [['zh'], 'zh-CN'],
    [['ZH-hant-tw'], 'zh-CN'],
    [['en-GB', 'zh'], 'en'],
    [['de', 'fr-CH', 'zh-SG', 'en'], 'zh-CN'],
    [['de'], 'en'],
    [[], 'en'],
  ])('takes the first of %j that the page speaks: %s', (preferred, language) => {
    expect(pickLanguage(preferred)).toBe(language);
  });
});

describe('isLanguage', () => {
  it('knows what the page speaks', () => {
    expect([isLanguage('en'), isLanguage('zh-CN'), isLanguage('fr'), isLanguage('toString'), isLanguage(null)]).toEqual(
      [true, true, false, false, false],
    );
  });
});

describe('the texts', () => {
  it('have the same placeholders in every language', () => {
    for (const key of Object.keys(en) as TextKey[]) {
      expect([key, ...placeholders(zhCN[key])]).toEqual([key, ...placeholders(en[key])]);
    }
  });
});

describe('Translator', () => {
  const english = new Translator('en', 'UTC');
  const chinese = new Translator('zh-CN', 'UTC');

  it('fills placeholders in', () => {
    expect(english.text('away', { duration: '3 seconds' })).toBe('The connection was away for 3 seconds.');
    expect(chinese.text('away', { duration: '3秒钟' })).toBe('连接中断了 3秒钟。');
  });

  it('leaves a placeholder without a value visible', () => {
    expect(english.text('away')).toContain('{duration}');
  });

  it('takes the plural form of the language', () => {
    const duration = '3 seconds';

    expect(english.count('missed', 1, { duration })).toMatch(/about 1 timestamp was missed\.$/);
    expect(english.count('missed', 1_234, { duration })).toMatch(/about 1,234 timestamps were missed\.$/);
    expect(chinese.count('missed', 1, { duration })).toMatch(/约错过 1 个时间戳。$/);
  });

  it.each([
    [400, '0.4 seconds'],
    [1_000, '1 second'],
    [12_400, '12 seconds'],
    [180_000, '3 minutes'],
    [5_400_000, '1.5 hours'],
  ])('tells %i ms as %s', (ms, duration) => {
    expect(english.duration(ms)).toBe(duration);
  });

  it('tells latencies, times and dates', () => {
    expect(english.latency(3.4)).toBe('+3 ms');
    expect(english.time(AFTERNOON)).toBe('13:02:03');
    expect(english.date(AFTERNOON)).toBe('Monday, November 23, 2026 · UTC');
    expect(chinese.date(AFTERNOON)).toBe('2026年11月23日星期一 · UTC');
  });
});
