import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { watch } from './watchdog.js';

describe('the watchdog', () => {
  const bark = jest.fn();

  beforeEach(() => {
    jest.useFakeTimers();
    bark.mockClear();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('barks once, when nothing has come for the limit and a second look', () => {
    watch(4_000, bark);
    jest.advanceTimersByTime(4_900);
    expect(bark).not.toHaveBeenCalled();
    jest.advanceTimersByTime(60_000);
    expect(bark).toHaveBeenCalledTimes(1);
  });

  it('barks also when the system time was set back', () => {
    watch(4_000, bark);
    jest.setSystemTime(Date.now() - 3_600_000);
    jest.advanceTimersByTime(10_000);
    expect(bark).toHaveBeenCalledTimes(1);
  });

  it('is silent while something comes', () => {
    const watchdog = watch(4_000, bark);
    for (let count = 0; count < 20; count += 1) {
      jest.advanceTimersByTime(3_900);
      watchdog.feed();
    }
    watchdog.stop();
    expect(bark).not.toHaveBeenCalled();
  });

  it('gives a machine that wakes up one look to read what has arrived', () => {
    const watchdog = watch(40_000, bark);
    jest.setSystemTime(Date.now() + 3_600_000);
    watchdog.look();
    watchdog.feed();
    watchdog.look();
    expect(bark).not.toHaveBeenCalled();
    jest.setSystemTime(Date.now() + 3_600_000);
    watchdog.look();
    watchdog.look();
    expect(bark).toHaveBeenCalledTimes(1);
  });

  it('has nothing to watch where the hub sends no heartbeat', () => {
    const watchdog = watch(0, bark);
    jest.advanceTimersByTime(3_600_000);
    watchdog.stop();
    expect(bark).not.toHaveBeenCalled();
  });
});
