import { describe, expect, it } from '@jest/globals';
import { Background } from './background.js';

describe('Background', () => {
  /** A clock on which each look takes a tenth of a millisecond. */
  const slowly = (): (() => number) => {
    let now = 0;
    return () => (now += 0.1);
  };

  it('does what it is given in the order of coming, some of it in each turn of the event loop', async () => {
    const background = new Background(slowly());
    const done: number[] = [];
    for (let job = 0; job < 25; job += 1) background.add(() => done.push(job));
    const afterTurns: number[] = [];
    while (done.length < 25) {
      await new Promise(setImmediate);
      afterTurns.push(done.length);
    }
    expect(done).toEqual(Array.from({ length: 25 }, (_, job) => job));
    expect(afterTurns.length).toBeGreaterThan(2);
  });

  it('does one job in a turn even where that takes longer than its share', async () => {
    let now = 0;
    const background = new Background(() => (now += 1));
    const done: number[] = [];
    for (let job = 0; job < 3; job += 1) background.add(() => done.push(job));
    await new Promise(setImmediate);
    expect(done).toEqual([0]);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(done).toEqual([0, 1, 2]);
  });

  it('rests for as long as a step has exceeded its share by much, while others go on', async () => {
    let now = 0;
    const background = new Background(() => now);
    const done: number[] = [];
    for (let job = 0; job < 2; job += 1) {
      background.add(() => {
        now += 30;
        done.push(job);
      });
    }
    let turns = 0;
    while (done.length < 2) {
      await new Promise(setImmediate);
      turns += 1;
    }
    // The timer is a real one, and in its time there are many turns.
    expect(turns).toBeGreaterThan(20);
  });

  it('does work of many steps beside other work, and gives what it gives or throws', async () => {
    let now = 0;
    const background = new Background(() => (now += 0.3));
    const order: string[] = [];
    const steps = function* (name: string): Generator<void, string> {
      for (let step = 0; step < 6; step += 1) {
        order.push(name);
        yield;
      }
      return name.toUpperCase();
    };
    await expect(Promise.all([background.run(steps('a')), background.run(steps('b'))])).resolves.toEqual(['A', 'B']);
    expect(order.join('')).toMatch(/^a+b+a+b+/);
    let looks = 0;
    const over = background.run(steps('c'), () => (looks += 1) > 3);
    expect([await over, order.filter((name) => name === 'c').length]).toEqual([undefined, 3]);
    const failing = function* (): Generator<void, void> {
      yield;
      throw new Error('no');
    };
    await expect(background.run(failing())).rejects.toThrow('no');
  });

  it('gives what a job gives, and what it throws', async () => {
    const background = new Background();
    await expect(background.do(() => 7)).resolves.toBe(7);
    await expect(background.do(() => Promise.resolve(8))).resolves.toBe(8);
    const failing = background.do(() => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await expect(background.do(() => 9)).resolves.toBe(9);
  });
});
