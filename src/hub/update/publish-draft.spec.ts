import { describe, expect, it } from '@jest/globals';
import { draftOf, type PublishDraft } from './publish-draft.js';

describe('draftOf', () => {
  it.each<[unknown, string | undefined]>([
    ['text', 'text'],
    ['{"a":1}', '{"a":1}'],
    [undefined, undefined],
    [{ a: [1, 'x', null] }, '{"a":[1,"x",null]}'],
    [[], '[]'],
    [0, '0'],
    [false, 'false'],
    [null, 'null'],
  ])('gives the data %p as text', (data, expected) => {
    expect(draftOf({ topic: 'a', data }).data).toBe(expected);
  });

  it.each([() => 1, Symbol('s'), 1n, { big: 1n }])('refuses data that JSON can not have', (data) => {
    expect(() => draftOf({ topic: 'a', data })).toThrow(expect.objectContaining({ code: 'data-invalid' }));
  });

  it('refuses data that is circular', () => {
    const data: unknown[] = [];
    data.push(data);
    expect(() => draftOf({ topics: ['a'], data })).toThrow(expect.objectContaining({ code: 'data-invalid' }));
  });

  it('takes one topic or several, of which the first is canonical', () => {
    expect(draftOf({ topic: 'a' }).topics).toEqual(['a']);
    expect(draftOf({ topics: 'a' }).topics).toEqual(['a']);
    expect(draftOf({ topics: ['a', 'b'] }).topics).toEqual(['a', 'b']);
    expect(draftOf({ topic: 'c', topics: ['a', 'b'] }).topics).toEqual(['c', 'a', 'b']);
    expect(draftOf({}).topics).toEqual([]);
  });

  it('refuses a topic that is no text, whatever the types say', () => {
    const wrong = [{ topic: 1 }, { topics: [1] }, { topics: ['a', undefined], data: 'x' }] as unknown as PublishDraft[];
    for (const draft of wrong) {
      expect(() => draftOf(draft)).toThrow(expect.objectContaining({ code: 'topic-invalid' }));
    }
  });

  it('keeps all other fields', () => {
    const rest = { id: 'i', type: 't', retry: 5, private: true, traceparent: 'p' };
    expect(draftOf({ topic: 'a', data: 1, ...rest })).toEqual({ topics: ['a'], data: '1', ...rest });
  });
});
