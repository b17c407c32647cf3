import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type LogLine, QUIET, RepeatedLines } from './repeated-lines.js';

describe('repeated lines', () => {
  let written: LogLine[];
  let lines: RepeatedLines;

  beforeEach(() => {
    jest.useFakeTimers();
    written = [];
    lines = new RepeatedLines((line) => void written.push(line));
  });
  afterEach(() => void jest.useRealTimers());

  it('are written at once, and then once a minute with their number', () => {
    for (let number = 1; number <= 5; number += 1) lines.log({ msg: 'refused', number });
    expect(written).toEqual([{ msg: 'refused', number: 1 }]);
    jest.advanceTimersByTime(QUIET);
    lines.log({ msg: 'refused', number: 6 });
    jest.advanceTimersByTime(QUIET);
    expect(written.slice(1)).toEqual([
      { msg: 'refused', number: 5, repeated: 4 },
      { msg: 'refused', number: 6, repeated: 1 },
    ]);
  });

  it('are written at once again after a minute without any', () => {
    lines.log({ msg: 'refused' });
    jest.advanceTimersByTime(QUIET);
    lines.log({ msg: 'refused' });
    expect(written).toEqual([{ msg: 'refused' }, { msg: 'refused' }]);
    jest.advanceTimersByTime(2 * QUIET);
    expect(written).toHaveLength(2);
  });

  it('are told apart by their kinds', () => {
    lines.log({ msg: 'refused', code: 'a' }, 'a');
    lines.log({ msg: 'refused', code: 'b' }, 'b');
    lines.log({ msg: 'refused', code: 'a' }, 'a');
    expect(written).toHaveLength(2);
  });

  it('take a bounded memory, however many kinds there are', () => {
    for (let kind = 0; kind < 1_000; kind += 1) lines.log({ msg: String(kind) });
    expect(jest.getTimerCount()).toBe(100);
    jest.advanceTimersByTime(QUIET);
    expect([written.length, jest.getTimerCount()]).toEqual([1_000, 0]);
  });
});
