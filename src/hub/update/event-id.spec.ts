import { describe, expect, it } from '@jest/globals';
import { newEventId } from './event-id.js';

describe('the id that the hub makes for an update', () => {
  const ids = Array.from({ length: 20_000 }, newEventId);

  it('is a UUID of version 4 as a URN', () => {
    for (const id of ids)
      expect(id).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('is another one each time', () => {
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has every bit random, other than those of the version and the variant', () => {
    const counts = Array.from({ length: 128 }, () => 0);
    for (const id of ids) {
      const digits = id.slice('urn:uuid:'.length).replaceAll('-', '');
      const bits = Array.from(digits, (digit) => Number.parseInt(digit, 16).toString(2).padStart(4, '0')).join('');
      for (let bit = 0; bit < 128; bit += 1) counts[bit] = (counts[bit] ?? 0) + Number(bits[bit]);
    }
    const shares = counts.map((count) => count / ids.length);
    expect(shares.slice(48, 52)).toEqual([0, 1, 0, 0]);
    expect(shares.slice(64, 66)).toEqual([1, 0]);
    const others = shares.filter((_, bit) => (bit < 48 || bit > 51) && bit !== 64 && bit !== 65);
    expect(others).toHaveLength(122);
    // Ten standard deviations of a fair coin.
    for (const share of others) expect(Math.abs(share - 0.5)).toBeLessThan(5 / Math.sqrt(ids.length));
  });
});
