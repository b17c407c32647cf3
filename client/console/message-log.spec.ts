import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MessageLog } from './message-log.js';

const message = (text: string, id?: string) => ({
  id,
  topic: 't',
  type: 'message',
  text,
  isReplayed: false,
  latency: undefined,
});

function texts(log: MessageLog): string[] {
  return log.entries.map((entry) => (entry.kind === 'message' ? entry.text : entry.mark));
}

describe('MessageLog', () => {
  it('keeps what comes in its order, with marks between, and each id once', () => {
    const log = new MessageLog();
    expect([log.add(message('1', 'a')), log.add(message('1 again', 'a')), log.add(message('2', 'b'))]).toEqual([
      true,
      false,
      true,
    ]);
    log.mark({ mark: 'lost' });
    log.add(message('without an id'));
    log.add(message('without an id'));
    expect(texts(log)).toEqual(['1', '2', 'lost', 'without an id', 'without an id']);
    expect(log.received).toBe(4);
  });

  it('shows what comes again after a new connection has begun, or after all was cleared', () => {
    const log = new MessageLog();
    log.begin({ who: 'ann' });
    log.add(message('1', 'a'));
    log.begin({ who: undefined });
    expect([log.add(message('1', 'a')), log.add(message('1', 'a'))]).toEqual([true, false]);
    expect(texts(log)).toEqual(['connected', '1', 'connected', '1']);
    log.clear();
    expect(log.add(message('1', 'a'))).toBe(true);
    expect(texts(log)).toEqual(['1']);
    expect(log.generation).toBe(1);
  });

  it('stays within its limits, drops the oldest, and counts them', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 200 }), (sizes) => {
        const log = new MessageLog(() => 0, { entries: 50, characters: 300 });
        for (const [index, size] of sizes.entries()) {
          log.add(message(`${index}:${'x'.repeat(size)}`));
          expect(log.entries.length).toBeLessThanOrEqual(50);
          expect(texts(log).join('').length).toBeLessThanOrEqual(300);
        }
        expect(log.dropped + log.entries.length).toBe(sizes.length);
        const numbers = texts(log).map((text) => Number(text.split(':')[0]));
        expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => log.dropped + index));
      }),
    );
  });

  it('keeps the newest, however large it is', () => {
    const log = new MessageLog(() => 0, { entries: 5, characters: 10 });
    log.add(message('small'));
    log.add(message('x'.repeat(100)));
    expect(log.entries).toHaveLength(1);
  });

  it('notes how long a message of this page was on its way', () => {
    const log = new MessageLog(() => 150);
    log.add(message('1', 'a'));
    expect(log.measure('a', 100)).toBe(50);
    expect(log.measure('b', 100)).toBeUndefined();
    expect(log.entries[0]).toMatchObject({ latency: 50 });
  });
});
