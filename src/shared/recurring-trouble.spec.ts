import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { QUIET } from './log/repeated-lines.js';
import { RecurringTrouble } from './recurring-trouble.js';

describe('a recurring trouble', () => {
  let told: unknown[];
  let trouble: RecurringTrouble;

  beforeEach(() => {
    jest.useFakeTimers();
    told = [];
    const logger = new Logger('Test');
    for (const level of ['error', 'warn', 'log'] as const) {
      jest.spyOn(logger, level).mockImplementation((line: unknown) => void told.push({ level, ...(line as object) }));
    }
    trouble = new RecurringTrouble(logger, 'asking', { failed: (reason) => `asking fails: ${reason}` });
  });
  afterEach(() => void jest.useRealTimers());

  it('is told once, and its end with how long it was', () => {
    const err = new Error('refused');
    for (let time = 0; time < 9; time += 1) {
      trouble.has(err);
      jest.advanceTimersByTime(1_000);
    }
    expect(trouble.isOngoing).toBe(true);
    trouble.isOver();
    trouble.isOver();
    expect(told).toEqual([
      { level: 'error', msg: 'asking fails: refused', err },
      { level: 'log', msg: 'asking works again after 9 s', lasted: 9_000 },
    ]);
    jest.advanceTimersByTime(2 * QUIET);
    expect(told).toHaveLength(2);
  });

  it('is told at the end of the minute where it comes again within it and lasts', () => {
    trouble.has('refused');
    trouble.isOver();
    for (let time = 0; time < 3; time += 1) {
      trouble.has('refused');
      trouble.isOver();
    }
    jest.advanceTimersByTime(30_000);
    trouble.has('refused');
    expect(told).toHaveLength(2);
    jest.advanceTimersByTime(30_000);
    expect(told.slice(2)).toEqual([{ level: 'error', msg: 'asking fails: refused', repeated: 4 }]);
    jest.advanceTimersByTime(90_000);
    trouble.isOver();
    expect(told.slice(3)).toEqual([{ level: 'log', msg: 'asking works again after 120 s', lasted: 120_000 }]);
  });

  it('is counted at the end of the minute where it came and went within it', () => {
    for (let time = 0; time < 5; time += 1) {
      trouble.has('refused');
      trouble.isOver();
    }
    jest.advanceTimersByTime(QUIET);
    expect(told.slice(2)).toEqual([
      { level: 'log', msg: 'asking works again, and has failed again in between', repeated: 4 },
    ]);
  });

  it('is told once a minute where its reason changes all the time', () => {
    for (let time = 0; time < 120; time += 1) {
      trouble.has(time % 2 === 0 ? 'refused' : 'no answer');
      jest.advanceTimersByTime(1_000);
    }
    expect(told).toHaveLength(3);
  });
});
