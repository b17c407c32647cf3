import { describe, expect, it } from '@jest/globals';
import { Lane } from './lane.js';

describe('a lane', () => {
  it('has one thing done at a time, in order, whatever becomes of the one before', async () => {
    const lane = new Lane();
    const seen: string[] = [];
    const work = async (name: string): Promise<string> => {
      seen.push(`${name} begins`);
      await new Promise(setImmediate);
      seen.push(`${name} ends`);
      if (name === 'b') throw new Error(name);
      return name;
    };
    const results = Promise.allSettled(['a', 'b', 'c'].map((name) => lane.run(() => work(name))));
    expect(lane.length).toBe(3);
    expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(seen).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
    expect(lane.length).toBe(0);
  });
});
