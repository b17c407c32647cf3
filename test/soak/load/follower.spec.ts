import { beforeEach, describe, expect, it } from '@jest/globals';
import { Follower, type Follows } from './follower.js';
import { Ledger } from './ledger.js';

const TOPIC = 'rooms/1';

describe('what one reader of a soak gets', () => {
  let ledger: Ledger;

  beforeEach(() => {
    ledger = new Ledger();
    publish(3);
  });

  function publish(count: number): void {
    for (let update = 0; update < count; update += 1) {
      ledger.begin(TOPIC);
      ledger.store(TOPIC);
    }
  }

  function follow(more: Partial<Follows> = {}): Follower {
    const follower = new Follower(ledger, { topics: [TOPIC], isConflated: false, hasState: false, ...more });
    follower.ask();
    follower.begin();
    return follower;
  }

  const wrongIn = (follower: Follower, numbers: readonly number[]): (string | undefined)[] =>
    numbers.map((number) => follower.take(TOPIC, number)).filter((wrong) => wrong !== undefined);

  it('is right where everything comes once and in order', () => {
    const follower = follow();
    publish(3);
    expect(wrongIn(follower, [4, 5, 6])).toEqual([]);
    expect(follower.lacks()).toBeUndefined();
  });

  it.each([
    ['is lost in the beginning', [5, 6], ['rooms/1 4 is lost: 5 came after nothing']],
    ['is lost in between', [4, 6], ['rooms/1 5 is lost: 6 came after 4']],
    ['is doubled', [4, 5, 5], ['rooms/1 5 came after 5']],
    ['comes in another order', [4, 6, 5], ['rooms/1 5 is lost: 6 came after 4', 'rooms/1 5 came after 6']],
    ['is older than the stream', [3, 4], ['rooms/1 3 is older than the stream']],
  ])('is wrong where an update %s', (_, numbers, wrong) => {
    const follower = follow();
    publish(3);
    expect(wrongIn(follower, numbers)).toEqual(wrong);
  });

  it('is wrong where the last ones do not come', () => {
    const follower = follow();
    publish(2);
    expect(follower.lacks()).toBe('rooms/1 4 did not come after 3 (the beginning)');
    follower.take(TOPIC, 4);
    expect(follower.lacks()).toBe('rooms/1 5 did not come after 4');
  });

  it('may lack what was told as a gap, and nothing after it', () => {
    const follower = follow();
    publish(5);
    follower.take(TOPIC, 4);
    follower.loosen();
    expect(wrongIn(follower, [6, 8])).toEqual(['rooms/1 7 is lost: 8 came after 6']);
  });

  it('may lack what was taken out, also while that is under way', async () => {
    const follower = follow();
    publish(2);
    await ledger.purge(TOPIC, async () => {
      publish(1);
      expect(wrongIn(follower, [6])).toEqual([]);
    });
    publish(3);
    ledger.purgeOne(TOPIC, 8);
    expect(wrongIn(follower, [7, 9])).toEqual([]);
    publish(2);
    expect(wrongIn(follower, [11])).toEqual(['rooms/1 10 is lost: 11 came after 9']);
  });

  it('may be left out with max_rate, but for the newest', () => {
    const follower = follow({ isConflated: true });
    publish(4);
    expect(wrongIn(follower, [4, 6])).toEqual([]);
    expect(follower.lacks()).toBe('rooms/1 7 did not come after 6');
  });

  it('may begin with the state where it is asked for', () => {
    const follower = follow({ hasState: true });
    publish(1);
    expect(wrongIn(follower, [3, 4])).toEqual([]);
  });
});
