import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { StreamTally, TALLY_PERIOD } from './stream-tally.js';

const told: unknown[] = [];
let tally: StreamTally;

beforeEach(() => {
  jest.useFakeTimers();
  told.length = 0;
  jest.spyOn(Logger.prototype, 'log').mockImplementation((line: unknown) => void told.push(line));
  tally = new StreamTally(() => 7);
  tally.start();
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

it('tells once a minute what has become of streams, by reason', () => {
  tally.noteOpened();
  tally.noteOpened();
  tally.ended.add('stalled');
  tally.ended.add('stalled');
  tally.ended.add('disconnected');
  tally.refused.add('overloaded');
  expect(told).toEqual([]);
  jest.advanceTimersByTime(TALLY_PERIOD);
  const msg = 'streams of the last minute';
  const ended = { stalled: 2, disconnected: 1 };
  expect(told).toEqual([{ msg, opened: 2, ended, refused: { overloaded: 1 }, open: 7 }]);
  tally.noteOpened();
  tally.stop();
  expect(told.slice(1)).toEqual([{ msg, opened: 1, ended: {}, refused: {}, open: 7 }]);
});

it('says nothing where nothing has', () => {
  jest.advanceTimersByTime(10 * TALLY_PERIOD);
  tally.stop();
  expect([told, jest.getTimerCount()]).toEqual([[], 0]);
});
