import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseFilter } from './filter.js';
import { MessageLog } from './message-log.js';
import { VisibleEntries } from './visible-entries.js';

describe('VisibleEntries', () => {
  it('are exactly those of the log that the filter lets through, whenever one looks', () => {
    const text = fc.constantFrom('red apple', 'green apple', 'red pear', 'mark', 'look');
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 120 }),
        fc.constantFrom('', 'red', 'apple red', 'plum'),
        (acts, words) => {
          const log = new MessageLog(() => 0, { entries: 20, characters: 1_000 });
          const filter = parseFilter(words);
          const visible = new VisibleEntries(log, filter);
          for (const act of acts) {
            if (act === 'mark') log.mark({ mark: 'gap' });
            else if (act !== 'look')
              log.add({ id: undefined, topic: 't', type: 'message', text: act, isReplayed: false, latency: undefined });
            if (act === 'look')
              expect(visible.update()).toEqual(log.entries.filter((entry) => filter?.(entry) ?? true));
          }
          expect(visible.update()).toEqual(log.entries.filter((entry) => filter?.(entry) ?? true));
        },
      ),
    );
  });
});

describe('the entries after a place', () => {
  it.each([
    ['', 30],
    ['even', 15],
  ])('are counted where the filter is "%s", also those that the log has dropped', (words, count) => {
    const log = new MessageLog(() => 0, { entries: 10, characters: 1_000 });
    const add = (text: string): boolean =>
      log.add({ id: undefined, topic: 't', type: 'message', text, isReplayed: false, latency: undefined });
    for (let index = 0; index < 5; index += 1) add('even');
    const visible = new VisibleEntries(log, parseFilter(words), log.entries.at(-1)?.serial);
    visible.update();
    expect(visible.newer).toBe(0);
    for (let index = 0; index < 30; index += 1) {
      add(index % 2 === 0 ? 'even' : 'odd');
      log.mark({ mark: 'gap' });
      visible.update();
    }
    expect(visible.newer).toBe(count);
  });
});

describe('a filter', () => {
  const entry = {
    kind: 'message',
    serial: 1,
    at: 0,
    id: undefined,
    topic: 'https://example.com/Orders',
    type: 'created',
    text: '{"name":"Ann","order":{"Total":12,"lines":[{"sku":"a=b"}]}}',
    isReplayed: false,
    latency: undefined,
  } as const;

  it.each([
    ['ann', true],
    ['ORDERS ann', true],
    ['orders bob', false],
    ['topic:orders', true],
    ['topic:ann', false],
    ['type:create name', true],
    ['type:orders', false],
    ['name=ann', true],
    ['name=an', false],
    ['order.total=12', true],
    ['order.total=1', false],
    ['order.lines.0.sku=a=b', true],
    ['order.none.total=12', false],
  ])('%s', (words, isShown) => {
    expect(parseFilter(words)?.(entry)).toBe(isShown);
  });

  it('of nothing is none', () => {
    expect(parseFilter('  ')).toBeUndefined();
  });
});
