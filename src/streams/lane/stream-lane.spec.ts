import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { StreamLane } from './stream-lane.js';

/** A lane whose clock goes on by what each stream is said to cost, in milliseconds. */
function laneWith(cost: number): {
  lane: StreamLane;
  begun: number[];
  enter: (id: number, isGone?: boolean) => void;
  pass: (milliseconds: number) => void;
} {
  let time = 0;
  const begun: number[] = [];
  const lane = new StreamLane(() => time);
  const enter = (id: number, isGone = false): void => {
    const serve = (): void => {
      begun.push(id);
      time += cost;
    };
    lane.enter(serve, () => isGone);
  };
  const pass = (milliseconds: number): void => void (time += milliseconds);
  return { lane, begun, enter, pass };
}

describe('the lane of requests for streams', () => {
  it('serves a request at once that comes alone, and again in a later turn', async () => {
    const { begun, enter } = laneWith(5);
    for (const id of [1, 2, 3]) {
      enter(id);
      expect(begun).toHaveLength(id);
      // oxlint-disable-next-line no-await-in-loop -- one turn after the other
      await turn();
    }
  });

  it.each([
    [0.4, 3],
    [5, 1],
    [0, 32],
  ])('begins a crowd in order, so many in each turn as take their share, at %s ms each', async (cost, perTurn) => {
    const { lane, begun, enter } = laneWith(cost);
    const crowd = Array.from({ length: 100 }, (_, index) => index);
    for (const id of crowd) enter(id);
    expect(begun).toHaveLength(perTurn);
    // The rest of the turn in which they came.
    await turn();
    while (lane.length > 0) {
      const before = begun.length;
      // oxlint-disable-next-line no-await-in-loop -- one turn after the other
      await turn();
      expect(begun.length - before).toBeLessThanOrEqual(perTurn);
      expect(begun.length).toBeGreaterThan(before);
    }
    expect(begun).toEqual(crowd);
  });

  it('begins nobody who waits in turns in which connections come, for a second at most', async () => {
    const { lane, begun, enter, pass } = laneWith(1);
    const turnWithConnection = async (milliseconds: number): Promise<number> => {
      const before = begun.length;
      lane.connectionCame();
      pass(milliseconds);
      await turn();
      return begun.length - before;
    };
    for (let id = 0; id < 10; id += 1) enter(id);
    expect(begun).toEqual([0]);
    await turnWithConnection(0);
    for (let count = 0; count < 9; count += 1) expect(await turnWithConnection(100)).toBe(0);
    // A turn without one: they are begun, and have another second of patience after it.
    await turn();
    expect(begun).toEqual([0, 1]);
    await turnWithConnection(0);
    expect(await turnWithConnection(999)).toBe(0);
    // Then they give way no longer, until none of them is left.
    for (let id = 2; id < 10; id += 1) expect(await turnWithConnection(1)).toBe(1);
    expect(lane.length).toBe(0);
    await turn();
    for (const id of [10, 11]) enter(id);
    expect(begun.at(-1)).toBe(10);
    await turnWithConnection(0);
    expect(await turnWithConnection(1)).toBe(0);
  });

  it('passes over those whose clients have left, at no cost to the others', async () => {
    const { begun, enter } = laneWith(5);
    enter(0);
    for (let id = 1; id < 1_000; id += 1) enter(id, true);
    enter(1_000);
    await turn();
    await turn();
    expect(begun).toEqual([0, 1_000]);
  });

  it('has the promises of one stream settled before the next one is begun', async () => {
    const lane = new StreamLane(() => 0);
    const order: string[] = [];
    const serve = (name: string) => (): void => {
      order.push(name);
      void Promise.resolve().then(() => order.push(`${name} settled`));
    };
    // The first turn is used up, so that all of these wait.
    for (let count = 0; count < 32; count += 1)
      lane.enter(
        () => undefined,
        () => false,
      );
    for (const name of ['a', 'b']) lane.enter(serve(name), () => false);
    while (lane.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- one turn after the other
      await turn();
    }
    await turn();
    expect(order).toEqual(['a', 'a settled', 'b', 'b settled']);
  });
});
