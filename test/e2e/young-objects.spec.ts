import { describe, expect, it } from '@jest/globals';
import { HUB_ENVIRONMENT, Publisher } from '../support/hub.js';
import { startHerald } from '../support/herald.js';

const PUBLISHERS = 32;
const EACH = 500;
/** Collections that are looked at: the code is compiled by then. */
const LAST = 10;

describe('what a publication allocates', () => {
  it('is gone with the next collection, but for what is kept', async () => {
    await using herald = await startHerald({ env: HUB_ENVIRONMENT, nodeArguments: ['--trace-gc-nvp'] });
    using publisher = await Publisher.of(herald);
    const publishSome = async (): Promise<void> => {
      for (let count = 0; count < EACH; count += 1) await publisher.publishInTime({ topic: 'urn:a', data: 'x' });
    };
    await Promise.all(Array.from({ length: PUBLISHERS }, publishSome));
    const collections = [...herald.logs().matchAll(/ gc=s .* allocated=(\d+) promoted=(\d+) /g)].slice(-LAST);
    expect(collections).toHaveLength(LAST);
    const [allocated, promoted] = [1, 2].map((field) =>
      collections.reduce((sum, collection) => sum + Number(collection[field]), 0),
    ) as [number, number];
    // It is 10 % where V8 allocates objects of requests in the old generation.
    expect(promoted / allocated).toBeLessThan(0.05);
  }, 60_000);
});
