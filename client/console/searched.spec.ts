import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseFilter } from './filter.js';
import type { LogMessage } from './message-log.js';
import { firstOf, searchedIn } from './searched.js';

describe('searchedIn', () => {
  it('knows where each word is looked for', () => {
    expect(searchedIn(' TOPIC:Orders type:x  topic: Ann total=12 ')).toEqual({
      topic: ['orders', 'ann', 'total=12'],
      type: ['x', 'ann', 'total=12'],
      text: ['ann', 'total=12', '12'],
    });
  });

  it('finds in each message that a single word lets through where that word is', () => {
    const words = fc.stringMatching(/^(topic:|type:)?[abAB]{1,2}$/);
    const texts = fc.stringMatching(/^[abAB/]{0,12}$/);
    fc.assert(
      fc.property(words, texts, texts, texts, (word, topic, type, text) => {
        const rest = { serial: 1, at: 0, id: undefined, isReplayed: false, latency: undefined };
        const message: LogMessage = { kind: 'message', topic, type, text, ...rest };
        const searched = searchedIn(word);
        const isFound = [
          firstOf(topic, searched.topic),
          firstOf(type, searched.type),
          firstOf(text, searched.text),
        ].some(Boolean);
        expect(isFound).toBe(parseFilter(word)?.(message));
      }),
    );
  });
});

describe('firstOf', () => {
  it('is the first place, and the longest word there', () => {
    expect(firstOf('One two three', ['three', 'tw', 'two'])).toEqual({ from: 4, to: 7 });
    expect(firstOf('One two three', ['t'], 5)).toEqual({ from: 8, to: 9 });
    expect(firstOf('One', ['four'])).toBeUndefined();
  });

  it('says nothing of letters that change their length with their case', () => {
    expect(firstOf('İstanbul', ['stanbul'])).toBeUndefined();
  });
});
