import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { MessageEvent } from '@nestjs/common';
import { TestScheduler } from 'rxjs/testing';
import { EventsService } from './events.service.js';

const START = Date.parse('2026-01-02T03:04:05.006Z');

describe('EventsService', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: START });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('emits a MessageEvent with an RFC 3339 timestamp at once, and one in every interval', () => {
    const seen: MessageEvent[] = [];
    const subscription = new EventsService(2_000).timestamps().subscribe((event) => seen.push(event));
    expect(seen).toEqual([{ data: { timestamp: '2026-01-02T03:04:05.006Z' } }]);
    jest.advanceTimersByTime(1_999);
    expect(seen).toHaveLength(1);
    jest.advanceTimersByTime(4_001);
    expect(seen.slice(1)).toEqual([
      { data: { timestamp: '2026-01-02T03:04:07.006Z' } },
      { data: { timestamp: '2026-01-02T03:04:09.006Z' } },
      { data: { timestamp: '2026-01-02T03:04:11.006Z' } },
    ]);
    subscription.unsubscribe();
  });

  it('has one interval for all subscribers, and none without', () => {
    const events = new EventsService(1_000);
    expect(jest.getTimerCount()).toBe(0);
    const subscriptions = Array.from({ length: 50 }, () => events.timestamps().subscribe());
    expect(jest.getTimerCount()).toBe(1);
    subscriptions.forEach((subscription) => subscription.unsubscribe());
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives late subscribers the time they came at, and then the common ticks', () => {
    const events = new EventsService(1_000);
    const [early, late]: [MessageEvent[], MessageEvent[]] = [[], []];
    const subscriptions = [events.timestamps().subscribe((event) => early.push(event))];
    jest.advanceTimersByTime(400);
    subscriptions.push(events.timestamps().subscribe((event) => late.push(event)));
    expect(late).toEqual([{ data: { timestamp: '2026-01-02T03:04:05.406Z' } }]);
    jest.advanceTimersByTime(600);
    expect(late[1]).toBe(early[1]);
    subscriptions.forEach((subscription) => subscription.unsubscribe());
  });
});

describe('EventsService, as marbles', () => {
  it('ticks at 0 and then in every period until nobody listens', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ expectObservable }) => {
      const event = { data: { timestamp: expect.stringMatching(/^\d{4}-.*Z$/) } };
      expectObservable(new EventsService(2_000).timestamps(), '^ 6s !').toBe('e 1999ms e 1999ms e 1999ms e', {
        e: event as unknown as MessageEvent,
      });
    });
  });
});
