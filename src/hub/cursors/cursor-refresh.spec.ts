import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CursorRefresh } from './cursor-refresh.js';

const RETENTION = { events: 400, bytes: 40_000, age: 4_000 };

class Stage {
  readonly refreshed: string[] = [];
  head = 0;
  now = 0;
  readonly refresh = new CursorRefresh<string>(
    RETENTION,
    0,
    (cohort) => this.refreshed.push(cohort),
    () => this.now,
  );

  /** Appends `count` entries of so many bytes each. */
  publish(count: number, bytes = 1): void {
    for (let number = 0; number < count; number += 1) {
      this.refresh.moved((this.head += 1), bytes);
      this.refresh.look();
    }
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
    jest.advanceTimersByTime(milliseconds);
  }

  /** What has been refreshed since the last call. */
  take(): string[] {
    return this.refreshed.splice(0);
  }
}

describe('the refresh of cursors', () => {
  afterEach(() => void jest.useRealTimers());

  it('comes once for each quarter of the events that are kept', () => {
    const stage = new Stage();
    stage.refresh.heard('a');
    stage.publish(99);
    expect(stage.take()).toEqual([]);
    stage.publish(1);
    expect(stage.take()).toEqual(['a']);
    stage.publish(1_000);
    expect(stage.take()).toHaveLength(10);
  });

  it('comes once for each quarter of the bytes that are kept', () => {
    const stage = new Stage();
    stage.refresh.heard('a');
    stage.publish(9, 1_000);
    expect(stage.take()).toEqual([]);
    stage.publish(1, 1_000);
    expect(stage.take()).toEqual(['a']);
  });

  it('comes for what is kept by age also when nothing follows, and not again while nothing does', () => {
    jest.useFakeTimers();
    const stage = new Stage();
    stage.refresh.heard('a');
    stage.pass(10_000);
    expect(stage.take()).toEqual([]);
    stage.refresh.heard('a');
    stage.pass(500);
    stage.publish(1);
    stage.pass(499);
    expect(stage.take()).toEqual([]);
    stage.pass(1);
    expect(stage.take()).toEqual(['a']);
    stage.pass(100_000);
    expect(stage.take()).toEqual([]);
  });

  it('is for those that have heard nothing, each by its own last id', () => {
    const stage = new Stage();
    stage.refresh.heard('quiet');
    stage.refresh.heard('busy');
    stage.publish(60);
    stage.refresh.heard('busy');
    stage.publish(40);
    expect(stage.take()).toEqual(['quiet']);
    stage.publish(60);
    expect(stage.take()).toEqual(['busy']);
    stage.refresh.forget('busy');
    stage.publish(40);
    expect(stage.take()).toEqual(['quiet']);
  });
});
