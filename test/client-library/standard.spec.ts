import { describe, expect, it } from '@jest/globals';
import { createParser } from 'eventsource-parser';
import type { ServerResponse } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { Reader } from './reader.js';
import { ScriptedHub, stream, streamThatEnds } from './scripted-hub.js';

/** Each parsing rule of the HTML standard, section 9.2.6. The data `end` of the last event says that it is over. */
const RULES: readonly (readonly [rule: string, body: string])[] = [
  ['one leading byte-order mark is dropped', '\uFEFFdata: 1\n\n'],
  ['lines end with LF', 'data: 1\ndata: 2\n\n'],
  ['lines end with CR', 'data: 1\rdata: 2\r\r'],
  ['lines end with CRLF', 'data: 1\r\ndata: 2\r\n\r\n'],
  ['line ends may be mixed', 'data: 1\ndata: 2\r\ndata: 3\r\n\rdata: 4\n\r\n'],
  ['a line that begins with a colon is a comment', ':comment\n: data: 0\n:\ndata: 1\n\n'],
  ['one space after the colon is dropped', 'data:1\n\ndata: 2\n\ndata:  3\n\ndata:\t4\n\n'],
  ['a field without a colon has an empty value', 'data\n\ndata\ndata\n\n'],
  ['only the first colon counts', 'data: a:b: c\n\n'],
  ['names are compared exactly', 'Data: 0\n data: 0\ndata : 0\ndata: 1\n\n'],
  ['unknown fields are ignored', 'topics: 0\nother\ndata: 1\n\n'],
  ['a block without data is no event', 'event: a\n\nid: 7\n\ndata: 1\n\n'],
  ['empty data is an event', 'data:\n\ndata: 1\n\n'],
  ['a type holds for one event', 'event: a\ndata: 1\n\ndata: 2\n\n'],
  ['the last type of a block counts, and an empty one is none', 'event: a\nevent: b\ndata: 1\n\nevent\ndata: 2\n\n'],
  ['the last id of a block counts', 'id: 1\nid: 2\ndata: 1\n\n'],
  ['an id that holds NUL is ignored', 'id: 1\0\ndata: 1\n\n'],
  ['characters may be of any length', 'data: ü你好😀\n\n'],
];

/** What `eventsource-parser` makes of it: type and data of each event. */
function oracle(body: string): string[] {
  const events: string[] = [];
  const parser = createParser({ onEvent: ({ event, data }) => events.push(`${event ?? 'message'} ${data}`) });
  // Decoding is not its part: a UTF-8 decoder drops the byte-order mark.
  parser.feed(new TextDecoder().decode(Buffer.from(body)));
  return events;
}

/** A body in pieces of `size` bytes, each written by itself. */
function streamInPieces(body: string, size: number) {
  return (response: ServerResponse): void => {
    response.socket?.setNoDelay(true);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const bytes = Buffer.from(body);
    void (async () => {
      for (let from = 0; from < bytes.length; from += size) {
        response.write(bytes.subarray(from, from + size));
        await turn();
      }
    })();
  };
}

describe('the client library, by the rules of the HTML standard:', () => {
  it.each(RULES)('%s', async (_rule, body) => {
    const whole = `${body}data: end\n\n`;
    for (const size of [whole.length * 4, 1, 3]) {
      await using hub = await ScriptedHub.start(streamInPieces(whole, size));
      using reader = Reader.of(hub.url);
      reader.read('*');
      await reader.has('end');

      expect(reader.messages.map(({ type, text }) => `${type} ${text}`)).toEqual(oracle(whole));
    }
  });

  it('an event that is unfinished at the end is dropped, and so is its id', async () => {
    await using hub = await ScriptedHub.start(streamThatEnds('retry: 0\nid: 1\ndata: 1\n\nid: 2\ndata: 2\n'), stream());
    using reader = Reader.of(hub.url);
    reader.read('*');
    await reader.until(() => hub.requests.length === 2);

    expect(hub.cursors).toEqual(['', '1']);
    expect(reader.texts).toEqual(['1']);
  });

  it('an id persists until another comes, and an empty one forgets it', async () => {
    await using hub = await ScriptedHub.start(
      streamThatEnds('retry: 0\nid: 1\ndata: 1\n\ndata: 2\n\n'),
      streamThatEnds('id\ndata: 3\n\n'),
      stream(),
    );
    using reader = Reader.of(hub.url);
    reader.read('*');
    await reader.until(() => hub.requests.length === 3);

    expect(hub.cursors).toEqual(['', '1', '']);
  });

  it.each(['1e3', '-5', '12x', '', ' 9', '3.5'])('a reconnection time of %j is ignored', async (value) => {
    await using hub = await ScriptedHub.start(streamThatEnds(`retry: 3600000\nretry:0\nretry:${value}\n\n`), stream());
    using reader = Reader.of(hub.url);
    reader.read('*');

    await reader.until(() => hub.requests.length === 2);
    expect(reader.errors).toEqual([]);
  });

  it('a reconnection time holds at once, without a blank line', async () => {
    const at: number[] = [];
    await using hub = await ScriptedHub.start(
      (response, request) => {
        at.push(performance.now());
        streamThatEnds('retry: 400\n')(response, request);
      },
      (response, request) => {
        at.push(performance.now());
        stream()(response, request);
      },
    );
    using reader = Reader.of(hub.url);
    reader.read('*');
    await reader.until(() => at.length === 2);

    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(395);
  });

  it.each([301, 302, 303, 307, 308])(
    'a %i is followed, and the next attempt begins at the first address',
    async (code) => {
      await using target = await ScriptedHub.start(streamThatEnds('retry: 0\nid: 1\ndata: 1\n\n'), stream());
      await using hub = await ScriptedHub.start((response, request) =>
        response.writeHead(code, { location: target.url + (request?.url ?? '') }).end(),
      );
      using reader = Reader.of(hub.url);
      reader.read('*');
      await reader.until(() => target.requests.length === 2);

      expect(hub.cursors).toEqual(['', '1']);
    },
  );

  it('the type of the answer may have parameters, in any case', async () => {
    await using hub = await ScriptedHub.start(stream('data: 1\n\n', { 'content-type': 'Text/Event-Stream;charset=x' }));
    using reader = Reader.of(hub.url);
    reader.read('*');

    await reader.has('1');
    expect(reader.errors).toEqual([]);
  });
});
