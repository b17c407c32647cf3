import { describe, expect, it } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { EventParser, type ParsedEvent } from './event-parser.js';

interface Parsed {
  readonly events: ParsedEvent[];
  readonly retries: number[];
  readonly lastEventId: string;
}

/** Feeds `text` in pieces that end at `cuts`, which are offsets in bytes. */
function parse(text: string | Uint8Array, cuts: readonly number[] = []): Parsed {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const events: ParsedEvent[] = [];
  const retries: number[] = [];
  let lastEventId = '';
  const parser = new EventParser({
    event: (event) => events.push(event),
    retry: (ms) => retries.push(ms),
    moved: (id) => {
      lastEventId = id;
    },
    tooLong: () => undefined,
  });
  let from = 0;
  for (const cut of [...cuts, bytes.length].toSorted((a, b) => a - b)) {
    const to = Math.min(cut, bytes.length);
    if (to > from) parser.push(bytes.subarray(from, to));
    from = Math.max(from, to);
  }
  return { events, retries, lastEventId };
}

function dataOf(text: string): string[] {
  return parse(text).events.map(({ data }) => data);
}

/** A stream made of what matters to the grammar, with some text that does not. */
const name = fc.constantFrom('data', 'event', 'id', 'retry', 'Data', ' data', '', 'data\0', 'other');
const value = fc.oneof(
  fc.constantFrom('', ' ', '  two', '1', '007', '1e3', '-5', 'a:b', ': x', 'ü', '你好', '😀', '\u0000'),
  fc.string({ unit: 'grapheme', maxLength: 8 }).filter((text) => !/[\r\n\uFEFF]/.test(text)),
);
const line = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(name, fc.constantFrom(':', ': ', ''), value).map((parts) => parts.join('')) },
  { weight: 4, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: value.map((text) => `:${text}`) },
);
const lineEnd = fc.constantFrom('\n', '\r', '\r\n');
const stream = fc
  .array(fc.tuple(line, lineEnd), { maxLength: 30 })
  .map((lines) => lines.map((parts) => parts.join('')).join(''));

describe('the parser of event streams', () => {
  it('understands what the HTML Standard gives as examples', () => {
    expect(
      dataOf(': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n'),
    ).toEqual(['first event', 'second event', ' third event']);
    expect(dataOf('data\n\ndata\ndata\n\ndata:')).toEqual(['', '\n']);
    expect(dataOf('data:test\n\ndata: test\n\n')).toEqual(['test', 'test']);
    expect(dataOf('data: YHOO\ndata: +2\ndata: 10\n\n')).toEqual(['YHOO\n+2\n10']);
  });

  it('ends a line at LF, CR and CRLF, also in one stream', () => {
    expect(dataOf('data: a\r\rdata: b\n\ndata: c\r\n\r\ndata: d\r\n\n')).toEqual(['a', 'b', 'c', 'd']);
  });

  it('reports an event at a lone CR, and takes an LF that comes later for its other half', () => {
    const { events } = parse('data: a\r\n\r\ndata: b\n\n', [8, 10]);
    expect(events.map(({ data }) => data)).toEqual(['a', 'b']);
    expect(parse('data: a\r\r').events).toHaveLength(1);
    expect(parse('data: a\r\n\rdata: b\r\n\r\n', [11]).events).toHaveLength(2);
  });

  it('keeps a type for one event only, and an empty one is message', () => {
    expect(parse('event: a\ndata: 1\n\ndata: 2\n\nevent:\ndata: 3\n\n').events.map(({ type }) => type)).toEqual([
      'a',
      'message',
      'message',
    ]);
  });

  it('forgets the type of a block without data', () => {
    expect(parse('event: a\n\ndata: 1\n\n').events.map(({ type }) => type)).toEqual(['message']);
  });

  it('moves the last event id at the blank line, also where there is no data', () => {
    expect(parse('id: 1\ndata: a\n\nid: 2\n\n')).toMatchObject({ lastEventId: '2', events: [{ id: '1' }] });
    expect(parse('id: 1\ndata: a\n\nid: 2\ndata: b\n')).toMatchObject({ lastEventId: '1' });
  });

  it('keeps the last event id when a block has none, clears it with an empty one, ignores one with U+0000', () => {
    expect(parse('id: 1\n\ndata: a\n\n')).toMatchObject({ lastEventId: '1', events: [{ id: undefined }] });
    expect(parse('id: 1\n\nid\ndata: a\n\n')).toMatchObject({ lastEventId: '', events: [{ id: '' }] });
    expect(parse('id: 1\n\nid: 2\0\ndata: a\n\n')).toMatchObject({ lastEventId: '1', events: [{ id: undefined }] });
  });

  it('takes a retry of digits only, and without a blank line', () => {
    expect(parse('retry: 1000\nretry: 1e3\nretry: -5\nretry:\nretry: 12x\nretry: 007\n').retries).toEqual([1000, 7]);
  });

  it('ignores fields it does not know, comments, and names in another case', () => {
    expect(dataOf(':data: no\nData: no\n data: no\ndata\0: no\nfoo: no\ndata: yes\n\n')).toEqual(['yes']);
  });

  it('drops one byte-order mark at the start, and takes a second for text', () => {
    expect(dataOf('\uFEFFdata: a\n\n')).toEqual(['a']);
    expect(dataOf('\uFEFF\uFEFFdata: a\n\ndata: b\n\n')).toEqual(['b']);
    expect(dataOf('data: \uFEFFa\n\n')).toEqual(['\uFEFFa']);
  });

  it('turns malformed bytes into U+FFFD', () => {
    expect(parse(Uint8Array.from([...new TextEncoder().encode('data: '), 0xff, 0xc3, 10, 10])).events[0]?.data).toBe(
      '\uFFFD\uFFFD',
    );
  });

  it('discards what has no blank line after it', () => {
    expect(dataOf('data: a\n\ndata: b\n')).toEqual(['a']);
    expect(dataOf('data: a')).toEqual([]);
  });

  it('collects the topics of a block', () => {
    expect(parse('topic: urn:a\ntopic: urn:b\ndata: 1\n\ndata: 2\n\n').events.map(({ topics }) => topics)).toEqual([
      ['urn:a', 'urn:b'],
      [],
    ]);
  });

  it('leaves out an event that is too long to be held, moves past it, and reads on', () => {
    const told: unknown[] = [];
    const parser = new EventParser({
      event: ({ id, data }) => told.push([id, data]),
      retry: () => undefined,
      moved: (id) => told.push(id),
      tooLong: () => told.push('too long'),
    });
    const push = (text: string): void => parser.push(new TextEncoder().encode(text));
    push('id: 1\ndata: before\n\nid: 2\ndata: ');
    for (let count = 0; count < 20; count += 1) push('x'.repeat(1024 ** 2));
    push('\ndata: more\n\nid: 3\ndata: after\n\n');
    expect(told).toEqual(['1', ['1', 'before'], '2', 'too long', '3', ['3', 'after']]);
  });

  it('sees the same however the bytes are split', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(400), { maxLength: 12 }), (text, cuts) => {
        expect(parse(text, cuts)).toEqual(parse(text));
      }),
    );
  });

  it('agrees with an independent parser', () => {
    fc.assert(
      fc.property(stream, (text) => {
        const expected: unknown[] = [];
        const retries: number[] = [];
        const oracle = createParser({
          onEvent: ({ id, event, data }) => expected.push({ id, type: event ?? 'message', data }),
          onRetry: (ms) => retries.push(ms),
        });
        // The line feed at the end releases a CR that the other parser holds back.
        oracle.feed(`${text}\n`);
        const parsed = parse(`${text}\n`);
        expect(parsed.events.map(({ id, type, data }) => ({ id, type, data }))).toEqual(expected);
        expect(parsed.retries).toEqual(retries);
      }),
      { numRuns: 1_000 },
    );
  });
});
