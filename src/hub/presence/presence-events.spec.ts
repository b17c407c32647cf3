import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Matcher } from '../matching/matcher.js';
import { dialectsOf } from '../service/dialects.js';
import { PresenceEvents } from './presence-events.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');
const known = dialectsOf({ legacy: true });
const events = (legacy: boolean) => new PresenceEvents({ hubUrl: HUB_URL, dialects: dialectsOf({ legacy }), known });

const matcher: fc.Arbitrary<Matcher> = fc.record({
  type: fc.constantFrom('exact' as const, 'urlpattern' as const, 'uritemplate' as const),
  pattern: fc.string({ unit: 'binary', maxLength: 10 }),
});
const payload = fc.option(fc.constantFrom<object>({ a: 1 }, { a: [{ b: 'c' }] }, {}), { nil: undefined });
const news = fc.record({
  subscriber: fc.string(),
  isActive: fc.boolean(),
  matchers: fc.array(fc.record({ matcher, payload }), { maxLength: 10 }),
});

describe('PresenceEvents', () => {
  it('gives back what the record was made of, the same at every process, as many as it says', () => {
    fc.assert(
      fc.property(news, fc.boolean(), (given, legacy) => {
        const record = events(legacy).recordOf(given);
        const made = record ? [...events(!legacy).eventsOf(record, String)] : [];
        expect(made).toHaveLength(record?.events ?? 0);
        const documents = made
          .filter(({ type }) => type === 'mercure')
          .map(({ data }) => JSON.parse(data) as Record<string, unknown>);
        const expected = given.matchers
          .filter((one) => one.matcher.type !== 'uritemplate')
          .map((one) => ({ match: one.matcher.pattern, payload: one.payload, active: given.isActive }));
        expect(documents.map(({ match, payload: shown, active }) => ({ match, payload: shown, active }))).toEqual(
          expected,
        );
        expect(made.map(({ id }) => id)).toEqual(made.map((_, index) => String(index)));
        expect(made.every((update) => update.private)).toBe(true);
      }),
    );
  });

  it.each(['', '[]', '{}', '["a",true,0,[],[]]', '["a",true,1,[],[["other","x"]]]', 'null'])(
    'makes nothing of content that it does not understand: %s',
    (content) => {
      expect([...events(false).eventsOf({ id: 'urn:x', events: 3, content }, String)]).toEqual([]);
    },
  );
});
