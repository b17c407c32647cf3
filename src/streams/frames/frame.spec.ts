import { createRequire } from 'node:module';
import type { Transform } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { encodeComment, encodeNotice, type Frame, frameLength, frameText, retryLine } from './frame.js';

interface Event {
  readonly id?: string;
  readonly type?: string;
  readonly data: string;
}

type Parser = (bytes: Buffer) => Promise<{ readonly events: Event[]; readonly retries: number[] }>;

interface UndiciEvent {
  readonly type: string;
  readonly options: { readonly data: string; readonly lastEventId: string };
}

type UndiciStream = new (options: {
  readonly eventSourceSettings: { lastEventId: string; reconnectionTime: number };
}) => Transform;

/** The parser of undici's `EventSource`, which has no public name of its own. */
const { EventSourceStream } = createRequire(import.meta.url)('undici/lib/web/eventsource/eventsource-stream.js') as {
  readonly EventSourceStream: UndiciStream;
};

const parseWithUndici: Parser = async (bytes) => {
  const settings = { lastEventId: '', reconnectionTime: -1 };
  const stream = new EventSourceStream({ eventSourceSettings: settings });
  stream.end(bytes);
  const events: Event[] = [];
  for await (const { type, options } of stream as AsyncIterable<UndiciEvent>) {
    const { data, lastEventId: id } = options;
    events.push({ data, ...(id !== '' && { id }), ...(type !== 'message' && { type }) });
  }
  return { events, retries: settings.reconnectionTime === -1 ? [] : [settings.reconnectionTime] };
};

const parseWithEventSourceParser: Parser = async (bytes) => {
  const events: Event[] = [];
  const retries: number[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      events.push({ data, ...(id !== undefined && id !== '' && { id }), ...(event !== undefined && { type: event }) });
    },
    onRetry: (milliseconds) => retries.push(milliseconds),
  });
  parser.feed(new TextDecoder('utf-8').decode(bytes));
  return { events, retries };
};

const parsers: readonly (readonly [string, Parser])[] = [
  ['eventsource-parser', parseWithEventSourceParser],
  ['undici', parseWithUndici],
];

/** What breaks careless encoders, between ordinary text. */
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom('\r', '\n', '\r\n', '\0', '\ufeff', '\u2028', '\u0085', ':', ' ', '', '\ud800', '\udc00', '👩🏽'),
      fc.constantFrom(
        'id: 666',
        'data: injected',
        'event: evil',
        'retry: 1',
        '\n\n',
        ': comment',
        'data',
        '\r\rdata:x',
      ),
      fc.string({ unit: 'binary' }),
    ),
  )
  .map((pieces) => pieces.join(''));

const singleLine = nasty.map((text) => text.replaceAll(/[\r\n\0]/g, ''));

const frames = fc.record(
  { id: singleLine, type: singleLine, retry: fc.nat({ max: 3_600_000 }), data: nasty, comment: nasty },
  { requiredKeys: ['data'] },
);

/** The text after being encoded as UTF-8 and decoded again, which turns a lone surrogate into U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

function expected({ id = '', type = '', data }: Partial<Frame>): Event {
  return {
    data: wellFormed(data ?? '').replaceAll(/\r\n|\r/g, '\n'),
    ...(id !== '' && { id: wellFormed(id) }),
    ...(type !== '' && { type: wellFormed(type) }),
  };
}

function encodeFrame(frame: Frame): Buffer {
  return Buffer.from(frameText(frame));
}

describe('frameText', () => {
  it.each<[string, Frame]>([
    ['data: hello\n\n', { data: 'hello' }],
    ['data: \n\n', { data: '' }],
    ['data:  a\n\n', { data: ' a' }],
    ['data: a\ndata: \ndata: b\ndata: \ndata: c\ndata: \n\n', { data: 'a\n\nb\r\rc\r\n' }],
    [
      'id: 1\nevent: added\nretry: 1500\n: note\ndata: {}\n\n',
      { data: '{}', comment: 'note', retry: 1500, type: 'added', id: '1' },
    ],
    ['id: \ndata: \n\n', { id: '', type: '', data: '' }],
    [': a\n: b\ndata: x\n\n', { data: 'x', comment: 'a\r\nb' }],
    ['data: \ufffd\n\n', { data: '\ud800' }],
  ])('writes %j', (text, frame) => {
    expect(encodeFrame(frame).toString()).toBe(text);
  });

  it('has as many bytes as are told without making it', () => {
    fc.assert(
      fc.property(frames, ({ comment: _comment, ...frame }) => {
        expect(frameLength(frame)).toBe(encodeFrame(frame).length);
      }),
      { numRuns: 500 },
    );
  });

  it.each(parsers)('is read by %s as exactly one event with the same fields', async (_, parse) => {
    await fc.assert(
      fc.asyncProperty(frames, async (frame) => {
        const { events, retries } = await parse(encodeFrame(frame));
        expect(events).toEqual([expected(frame)]);
        expect(retries).toEqual(frame.retry === undefined ? [] : [frame.retry]);
      }),
      { numRuns: 500 },
    );
  });

  it.each(parsers)(
    'is read by %s as one event each when several are joined, with comments between',
    async (_, parse) => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(frames, nasty)), async (sequence) => {
          const bytes = Buffer.concat(sequence.flatMap(([frame, text]) => [encodeFrame(frame), encodeComment(text)]));
          const { events } = await parse(bytes);
          expect(events.map(({ data }) => data)).toEqual(sequence.map(([frame]) => expected(frame).data));
        }),
      );
    },
  );

  it('has no line end but LF, no byte-order mark, and one blank line, which is its last', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        const text = encodeFrame(frame).toString('latin1');
        expect(text).not.toContain('\r');
        expect(text.startsWith('\u00ef\u00bb\u00bf')).toBe(false);
        expect(text.indexOf('\n\n')).toBe(text.length - 2);
      }),
    );
  });

  it.each(['\n', '\r', '\0'])('refuses %j in an id or a type', (character) => {
    expect(() => encodeFrame({ data: '', id: `a${character}b` })).toThrow(TypeError);
    expect(() => encodeFrame({ data: '', type: `a${character}b` })).toThrow(TypeError);
  });

  it.each([-1, 1.5, NaN, Infinity, 1e21])('refuses %d as a retry', (retry) => {
    expect(() => encodeFrame({ data: '', retry })).toThrow(TypeError);
    expect(() => retryLine(retry)).toThrow(TypeError);
  });
});

describe('encodeComment', () => {
  it('writes comment lines only, and no blank line', () => {
    expect(encodeComment('').toString()).toBe(':\n');
    expect(encodeComment('still here').toString()).toBe(': still here\n');
    expect(encodeComment('a\ndata: b\r\n\r').toString()).toBe(': a\n: data: b\n: \n: \n');
  });

  it.each(parsers)('is no event for %s, whatever the text', async (_, parse) => {
    await fc.assert(
      fc.asyncProperty(nasty, async (text) => {
        expect(await parse(encodeComment(text))).toEqual({ events: [], retries: [] });
      }),
    );
  });
});

describe('encodeNotice', () => {
  it('is an event named herald without an id, with JSON data', () => {
    expect(encodeNotice({ type: 'gap', reason: 'a\nb' }).toString()).toBe(
      String.raw`event: herald
data: {"type":"gap","reason":"a\nb"}

`,
    );
  });

  it('can say when to come back', () => {
    expect(encodeNotice({ type: 'drain' }, { retry: 1200 }).toString()).toBe(
      'event: herald\nretry: 1200\ndata: {"type":"drain"}\n\n',
    );
  });
});

describe('retryLine', () => {
  it.each(parsers)('is read by %s with the event that comes after it', async (_, parse) => {
    const bytes = Buffer.concat([Buffer.from(retryLine(1200)), encodeFrame({ id: '1', data: 'x' })]);
    expect(await parse(bytes)).toEqual({ events: [{ id: '1', data: 'x' }], retries: [1200] });
  });
});
