import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makePayload } from './payload.js';
import { StreamParser } from './stream-parser.js';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

interface Seen {
  readonly events: [number, number][];
  notices: number;
  readonly status: number;
  readonly ended: boolean;
}

function parse(pieces: readonly Buffer[]): Seen {
  const events: [number, number][] = [];
  let notices = 0;
  const parser = new StreamParser({
    event: (eventNumber, microseconds) => events.push([eventNumber, microseconds]),
    notice: () => {
      notices += 1;
    },
  });
  // One buffer for all reads, as in the load generator: nothing of an earlier piece may be relied on.
  const shared = Buffer.alloc(64 * 1024, '\n');
  for (const piece of pieces) {
    piece.copy(shared);
    parser.push(shared, piece.length);
  }
  return { events, notices, status: parser.status, ended: parser.ended };
}

/** Cuts the bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ordered = [
    0,
    ...places.map((place) => place % bytes.length).toSorted((left, right) => left - right),
    bytes.length,
  ];
  return ordered.slice(1).map((end, index) => bytes.subarray(ordered[index], end));
}

describe('the benchmark’s stream parser', () => {
  it.each([
    ['a bare field', 'data:7.42.xx\n\n'],
    ['a space', 'data: 7.42.xx\n\n'],
    ['JSON', 'data: "7.42.xx"\n\n'],
    ['an id and a type', 'id: 99\nevent: message\ndata: 7.42.xx\n\n'],
    ['CR LF', 'id: 99\r\ndata: 7.42.xx\r\n\r\n'],
  ])('reads an event with %s', (_, event) => {
    expect(parse([Buffer.from(HEAD + chunk(event))])).toEqual({
      events: [[7, 42]],
      notices: 0,
      status: 200,
      ended: false,
    });
  });

  it('counts neither comments nor id-only events, and a server’s own events as notices', () => {
    const stream = ': hi\n\nid: 3\n\nevent: herald\ndata: {"type":"caught-up"}\n\ndatax: 1.2.\n\ndata: 1.2.\n';
    expect(parse([Buffer.from(HEAD + chunk(stream))])).toMatchObject({ events: [], notices: 1 });
  });

  it('reads the end of a chunked body and one that ends with the connection', () => {
    expect(parse([Buffer.from(`${HEAD}${chunk('data: 1.2.\n\n')}0\r\n\r\n`)])).toMatchObject({
      events: [[1, 2]],
      ended: true,
    });
    expect(parse([Buffer.from('HTTP/1.1 200 OK\r\n\r\ndata: 1.2.\n\n')])).toMatchObject({
      events: [[1, 2]],
      ended: false,
    });
  });

  it('reads the same events in whatever pieces they come', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(), { maxLength: 40 }), fc.nat(), (bytes, places, perChunk) => {
        const events = bytes.map((size, index) => `id: ${index}\ndata: ${makePayload(index, index * 10, size)}\n\n`);
        const joined = perChunk % 2 === 0 ? events.map(chunk).join('') : chunk(events.join(''));
        const seen = parse(cut(Buffer.from(HEAD + joined), places));
        expect(seen.events).toEqual(bytes.map((_, index) => [index, index * 10]));
      }),
    );
  });
});
