import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HubError } from '../../access/hub.errors.js';
import { bytesInUse } from '../../../test/support/memory.js';
import { CheckedTopics } from './checked-topics.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

function outcomeOf(checked: CheckedTopics, topics: readonly string[]): readonly string[] | string {
  try {
    return checked.of(topics);
  } catch (error) {
    if (error instanceof HubError) return error.code;
    throw error;
  }
}

describe('CheckedTopics', () => {
  it('gives all updates of one topic the same list of it, which nobody can change', () => {
    const checked = new CheckedTopics(HUB_URL);
    const first = checked.of(['urn:a']);
    expect(checked.of(['urn:a'])).toBe(first);
    expect(first).toEqual(['urn:a']);
    expect(Object.isFrozen(first)).toBe(true);
  });

  it('answers as if it had never seen a topic before', () => {
    const topic = fc.oneof(
      fc.constantFrom('urn:a', 'urn:b', '*', '', 'a\u200bb', 'mercure', '.well-known/mercure/x', '\ud800', '__proto__'),
      fc.webUrl(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom(4_096, 4_097).map((length) => 'x'.repeat(length)),
    );
    const lists = fc.array(fc.array(topic, { maxLength: 3 }), { maxLength: 30 });
    fc.assert(
      fc.property(lists, (all) => {
        const checked = new CheckedTopics(HUB_URL);
        for (const topics of [...all, ...all]) {
          const fresh = outcomeOf(new CheckedTopics(HUB_URL), topics);
          expect(outcomeOf(checked, topics)).toEqual(fresh);
          expect(typeof fresh === 'string' || [...fresh]).toEqual(typeof fresh === 'string' || topics);
        }
      }),
    );
  });

  it.each([
    ['short', 300_000, 10],
    ['long', 30_000, 1_300],
  ])('is bounded, however many %s topics there are, and goes on remembering', async (_, count, length) => {
    const checked = new CheckedTopics(HUB_URL);
    const before = await bytesInUse();
    for (let number = 0; number < count; number += 1) checked.of([`urn:${number}`.padEnd(length, '中')]);
    expect((await bytesInUse()) - before).toBeLessThan(16 * 1024 ** 2);
    expect(checked.of(['urn:new'])).toBe(checked.of(['urn:new']));
  });

  it('keeps nothing of the text that a topic was cut from', async () => {
    const checked = new CheckedTopics(HUB_URL);
    const before = await bytesInUse();
    for (let number = 0; number < 500; number += 1) {
      const body = `urn:a-topic-of-a-form:${number}&data=`.padEnd(50_000, 'd');
      checked.of([body.slice(0, body.indexOf('&'))]);
    }
    expect((await bytesInUse()) - before).toBeLessThan(5_000_000);
    expect(checked.of(['urn:a-topic-of-a-form:1'])).toEqual(['urn:a-topic-of-a-form:1']);
  });
});
