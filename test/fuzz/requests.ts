import { toUSVString } from 'node:util';
import fc from 'fast-check';
import { HUB } from '../support/hub.js';
import { framesOf, ODD_FRAMES } from './http2-frames.js';
import { tokens } from './tokens.js';
import { jsonable, nested, often, VALUE } from './values.js';

/** What is sent, and what is known of it beforehand. */
export interface Attack {
  /** As HTTP/1.1. */
  readonly bytes: Buffer;
  /** As HTTP/2. */
  readonly frames: Buffer;
  /** Before it was made into either, and maybe damaged. */
  readonly draft: Draft;
  /** As which of them it is sent where a choice can be made; `library` is what Node's client makes of the draft. */
  readonly shape: 'bytes' | 'frames' | 'library';
  readonly method: string;
  /** Whether it could store something: a `POST` to the hub. */
  readonly isPublication: boolean;
  /** Whether an idempotency key comes with it or with a line of it, so that an id in the answer may be that of an earlier update. */
  readonly isKeyed: boolean;
  /** Whether it brings a token that can't be good, so that nothing may come of it. */
  readonly isForged: boolean;
}

/** A request before it's made into bytes. */
export interface Draft {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly isForged: boolean;
}

const FORM = 'application/x-www-form-urlencoded';

const ID = fc.uuid().map((uuid) => `urn:uuid:${uuid}`);

const encoded = (text: string): string => encodeURIComponent(toUSVString(text));

/** Encoded as it should be, or not at all. */
const ENCODER = fc.constantFrom(encoded, encoded, encoded, (text: string) => text);

function pairs(names: readonly string[]): fc.Arbitrary<string> {
  const name = often(names[0] ?? '', fc.oneof(fc.constantFrom(...names), VALUE));
  const pair = fc.tuple(name, VALUE, ENCODER).map(([key, value, encode]) => `${encode(key)}=${encode(value)}`);
  const few = fc.array(pair, { maxLength: 6 }).map((all) => all.join('&'));
  return fc.oneof(
    { arbitrary: few, weight: 20 },
    {
      arbitrary: fc
        .tuple(pair, fc.constantFrom(101, 1_001, 1_200))
        .map(([one, times]) => Array(times).fill(one).join('&')),
      weight: 1,
    },
  );
}

const FORM_BODY = fc
  .tuple(ID, often('', pairs(['topic', 'data', 'id', 'type', 'retry', 'private', 'x'])))
  .map(([id, more]) => Buffer.from(`topic=${encoded('https://example.com/1')}&id=${id}&data=x&${more}`));

const KEYED = fc.tuple(ID, fc.constantFrom('one', 'two', ' ', 'é')).map(([id, key]) => ({ topic: 'urn:a', id, key }));

const LINE = fc.oneof(
  { arbitrary: ID.map((id) => JSON.stringify({ topic: 'urn:a', data: { x: 1 }, id })), weight: 4 },
  { arbitrary: KEYED.map((line) => JSON.stringify(line)), weight: 1 },
  // Longer than a line may be.
  { arbitrary: ID.map((id) => JSON.stringify({ topic: 'urn:a', id, data: 'x'.repeat(70_000) })), weight: 1 },
  {
    arbitrary: fc
      .tuple(
        ID,
        fc.constantFrom('topic', 'topics', 'data', 'id', 'type', 'retry', 'private', 'key', '__proto__'),
        fc.anything({ maxDepth: 2 }),
      )
      .map(([id, name, value]) => JSON.stringify({ topic: 'urn:a', id, [name]: jsonable(value) })),
    weight: 2,
  },
  {
    arbitrary: fc.constantFrom(
      '',
      '{',
      'null',
      '[]',
      '{"topic":"urn:a","data":',
      `{"topic":"urn:a","data":${nested(8_000, '[', ']')}}`,
    ),
    weight: 1,
  },
);

/** More than may be under way at a time. */
const MANY_LINES = ID.map((id) =>
  Array<string>(1_500)
    .fill('{"topic":"*"}')
    .concat(JSON.stringify({ topic: 'urn:a', id })),
);

const BATCH_BODY = fc
  .tuple(
    fc.oneof({ arbitrary: fc.array(LINE, { maxLength: 8 }), weight: 8 }, { arbitrary: MANY_LINES, weight: 1 }),
    fc.constantFrom('\n', '\r\n', '\r', '\n\n'),
  )
  .map(([lines, end]) => Buffer.from(toUSVString(lines.join(end))));

/** What is done to a request as a whole, to its headers and body, before it is made into bytes. */
const HEADER = fc.tuple(
  fc.constantFrom(
    'accept',
    'authorization',
    'content-length',
    'content-type',
    'cookie',
    'expect',
    'host',
    'idempotency-key',
    'if-none-match',
    'last-event-id',
    'origin',
    'transfer-encoding',
    'upgrade',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-host',
  ),
  fc.oneof(
    VALUE,
    fc.constantFrom('0', 'chunked', 'close', '100-continue', 'text/html', 'multipart/form-data', 'h2c', 'null'),
  ),
);

type Change = (draft: Draft) => Draft;

const CHANGE: fc.Arbitrary<Change> = fc.oneof(
  // One more header, maybe the second of its name.
  HEADER.map((header): Change => (draft) => ({ ...draft, headers: [...draft.headers, header] })),
  fc.nat(5).map((at): Change => (draft) => ({ ...draft, headers: draft.headers.filter((_, index) => index !== at) })),
  HEADER.map(([name, value]): Change => (draft) => ({
    ...draft,
    headers: [...draft.headers.filter(([other]) => other !== name), [name, value]],
  })),
  fc
    .nat(5)
    .map((at): Change => (draft) => ({ ...draft, headers: [...draft.headers, ...draft.headers.slice(at, at + 1)] })),
  fc
    .constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'QUERY', 'PATCH', 'CONNECT', 'TRACE', 'get', 'PRI')
    .map((method): Change => (draft) => ({ ...draft, method })),
  VALUE.map((value): Change => (draft) => ({ ...draft, target: draft.target + value })),
  fc
    .constantFrom(
      '',
      '/',
      '/events',
      '/batch',
      '/subscriptions',
      '/subscriptions/exact/a/b',
      '/../admin/connections',
      '/%ZZ',
      '/%00',
    )
    .map((path): Change => (draft) => ({ ...draft, target: HUB + path })),
  fc
    .constantFrom('*', 'http://other.example/', '//', '/%', `/${'a'.repeat(20_000)}`)
    .map((target): Change => (draft) => ({ ...draft, target })),
  fc
    .constantFrom(0, 70_000, 200_000)
    .map((size): Change => (draft) => ({ ...draft, body: Buffer.alloc(size, 'topic=a&') })),
  fc.uint8Array({ maxLength: 200 }).map((body): Change => (draft) => ({ ...draft, body: Buffer.from(body) })),
);

type Damage = (bytes: Buffer) => Buffer;

/** What is done to bytes, wherever it hits; places are parts of the whole. */
const DAMAGE: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(fc.nat(999), fc.nat(7)).map(([at, bit]): Damage => (bytes) => {
    const copy = Buffer.from(bytes);
    const index = Math.floor((at / 1_000) * copy.length);
    copy[index] = (copy[index] ?? 0) ^ (1 << bit);
    return copy;
  }),
  fc.nat(999).map(
    (at): Damage =>
      (bytes) =>
        bytes.subarray(0, Math.floor((at / 1_000) * bytes.length)),
  ),
  fc.tuple(fc.nat(999), fc.nat(40)).map(([at, length]): Damage => (bytes) => {
    const index = Math.floor((at / 1_000) * bytes.length);
    return Buffer.concat([bytes.subarray(0, index + length), bytes.subarray(index)]);
  }),
  fc.tuple(fc.nat(999), fc.uint8Array({ minLength: 1, maxLength: 10 })).map(([at, more]): Damage => (bytes) => {
    const index = Math.floor((at / 1_000) * bytes.length);
    return Buffer.concat([bytes.subarray(0, index), more, bytes.subarray(index)]);
  }),
);

/** Requests to a hub at this address, most of them damaged in some way, and all of them decided by the seed. */
export function attacks(audience: string, now: number): fc.Arbitrary<Attack> {
  const host = new URL(audience).host;
  const token = { publish: tokens('publish', audience, now), subscribe: tokens('subscribe', audience, now) };
  const key = fc.constantFrom('', '', '', 'one', 'two', '"three"');
  const publication = (target: string, type: string, body: fc.Arbitrary<Buffer>): fc.Arbitrary<Draft> =>
    fc.tuple(token.publish, key, body).map(([{ text, isForged }, idempotencyKey, content]) => ({
      method: 'POST',
      target,
      headers: [
        ['host', host],
        ['authorization', `Bearer ${text}`],
        ['content-type', type],
        ...(idempotencyKey === '' ? [] : [['idempotency-key', idempotencyKey] as const]),
      ],
      body: content,
      isForged,
    }));
  const query = pairs([
    'match',
    'match_urlpattern',
    'match_exact',
    'topic',
    'last_event_id',
    'lastEventID',
    'authorization',
  ]);
  const subscription = (method: string): fc.Arbitrary<Draft> =>
    fc
      .tuple(token.subscribe, query, fc.oneof(fc.constant(''), query))
      .map(([{ text, isForged }, inTarget, inBody]) => ({
        method,
        target: `${HUB}?match=urn:a&${inTarget}`,
        headers: [
          ['host', host],
          ['authorization', `Bearer ${text}`],
          ...(method === 'QUERY' ? [['content-type', FORM] as const] : []),
        ],
        body: Buffer.from(method === 'QUERY' ? inBody : ''),
        isForged,
      }));
  const draft = fc.oneof(
    { arbitrary: publication(HUB, FORM, FORM_BODY), weight: 4 },
    { arbitrary: publication(`${HUB}/batch`, 'application/x-ndjson', BATCH_BODY), weight: 3 },
    { arbitrary: subscription('GET'), weight: 2 },
    { arbitrary: subscription('QUERY'), weight: 1 },
  );
  const changes = often<Change[]>([], fc.array(CHANGE, { minLength: 1, maxLength: 3 }));
  const damage = fc.oneof(
    { arbitrary: fc.constant<Damage[]>([]), weight: 3 },
    { arbitrary: fc.array(DAMAGE, { minLength: 1, maxLength: 2 }), weight: 1 },
  );
  const odd = often<Buffer[]>([], fc.array(ODD_FRAMES, { minLength: 1, maxLength: 4 }));
  const shape = fc.constantFrom<Attack['shape']>('bytes', 'bytes', 'frames', 'library', 'library');
  return fc.tuple(draft, changes, damage, odd, shape).map(([given, changed, damaged, oddities, chosen]) => {
    const whole = changed.reduce((before, change) => change(before), given);
    const hurt = (unhurt: Buffer): Buffer => damaged.reduce((before, damageOne) => damageOne(before), unhurt);
    const bytes = hurt(bytesOf(whole));
    return {
      bytes,
      frames: hurt(framesOf(whole, oddities)),
      draft: whole,
      shape: chosen,
      method: whole.method,
      isPublication: bytes.subarray(0, 4).toString() === 'POST' || whole.method === 'POST',
      isKeyed: /idempotency-key|"key"/i.test(bytes.toString('latin1') + whole.headers.join('\n')),
      isForged: given.isForged && changed.length === 0 && damaged.length === 0,
    };
  });
}

function bytesOf({ method, target, headers, body }: Draft): Buffer {
  const hasLength = headers.some(([name]) => name === 'content-length' || name === 'transfer-encoding');
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body.length > 0 && !hasLength ? [`content-length: ${body.length}`] : []),
    'connection: close',
  ];
  return Buffer.concat([Buffer.from(toUSVString(`${lines.join('\r\n')}\r\n\r\n`)), body]);
}
