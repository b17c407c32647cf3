import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDuration, parseSize } from './units.js';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['2s', 2_000],
    ['1.5m', 90_000],
    ['24H', 86_400_000],
    ['1 d', 86_400_000],
    ['0', 0],
  ])('%s is %d ms', (text, milliseconds) => expect(parseDuration(text)).toBe(milliseconds));

  it.each(['', '2', 's', '-2s', '2 weeks', '1e3s', '2s3s', '0x2s', 'Infinitys', '2constructor'])(
    'refuses "%s"',
    (text) => expect(parseDuration(text)).toBeUndefined(),
  );

  it('never throws, and gives a whole number or nothing', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const value = parseDuration(text);
        return value === undefined || (Number.isInteger(value) && value >= 0);
      }),
    );
  });
});

describe('parseSize', () => {
  it.each([
    ['512b', 512],
    ['64mb', 67_108_864],
    ['1.5KB', 1_536],
    ['1gb', 1_073_741_824],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(['64', '64m', '64mib', 'mb'])('refuses "%s"', (text) => expect(parseSize(text)).toBeUndefined());
});
