import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BEGINNING } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { form, HUB, subscribe } from '../support/hub.js';
import { DIALECTS, startBilingualHub } from './dialects.js';
import { ask, bearer, dataOfUntilEnd, FORM, publish, publishEnd, withEnd } from './exchange.js';

describe.each(DIALECTS)('publishing in the $dialect dialect', ({ parameter, publisher }) => {
  let herald: Herald;
  let token: string;

  beforeAll(async () => {
    herald = await startBilingualHub({ HERALD_MAX_BODY: '64kb' });
    token = await publisher();
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  /** The stream's text for one publication, after its beginning. */
  async function frameOf(body: string | Buffer): Promise<string> {
    await using stream = await subscribe(herald, { query: `${parameter}=*` });
    expect(await publish(herald, body, token)).toMatchObject({ status: 200 });
    await stream.take(1);
    return stream.text.replace(BEGINNING, '');
  }

  /** Publishes what is to be refused, and sees to it that nobody gets anything of it. */
  async function refusal(body: string | Buffer): Promise<{ status: number; code: string | undefined }> {
    await using stream = await subscribe(herald, { query: withEnd(`${parameter}=*`, parameter) });
    const { status, code, challenge } = await publish(herald, body, token);
    expect(challenge).toBeUndefined();
    await publishEnd(herald, token);
    expect(await dataOfUntilEnd(stream)).toEqual([]);
    return { status, code };
  }

  it.each([
    ['U+0000', 'a%00'],
    ['U+001F', 'a%1F'],
    ['DEL', 'a%7F'],
    ['U+0080', 'a%C2%80'],
    ['U+009F', 'a%C2%9F'],
    ['a soft hyphen', 'a%C2%AD'],
    ['an Arabic number sign', 'a%D8%80'],
    ['a zero-width space', 'a%E2%80%8B'],
    ['a zero-width joiner', 'a%E2%80%8D'],
    ['an override of the writing direction', 'a%E2%80%AE'],
    ['an isolate', 'a%E2%81%A6'],
    ['a byte-order mark', '%EF%BB%BFa'],
    ['a tag beyond the basic plane', 'a%F3%A0%80%81'],
    ['a musical formatting character', 'a%F0%9D%85%B3'],
  ])('R1: a topic with %s is refused', async (_, topic) => {
    expect(await refusal(`topic=${topic}&data=x`)).toEqual({ status: 400, code: 'topic-invalid' });
  });

  it.each(['topic=%FF', 'topic=%C3%28', 'topic=%ED%A0%80', 'topic=%F4%90%80%80', 'topic=a&topic=%80'])(
    'R1: %s is not UTF-8, and refused',
    async (body) => {
      expect(await refusal(body)).toEqual({ status: 400, code: 'encoding-invalid' });
    },
  );

  it('R1: other text is taken as it is', async () => {
    const topic = 'https://example.com/日本語/é/\u{1F600}?a=b c';
    await using stream = await subscribe(herald, { query: `${parameter}=${encodeURIComponent(topic)}` });
    expect((await publish(herald, { topic, data: 'x' }, token)).status).toBe(200);
    expect((await stream.take(1))[0]?.data).toBe('x');
  });

  it.each([
    ['no topic', 400, 'topic-missing', 'data=x'],
    ['nothing', 400, 'topic-missing', ''],
    ['a name in another case', 400, 'topic-missing', 'Topic=urn:a'],
  ])('R29: %s is refused', async (_, status, code, body) => {
    expect(await refusal(body)).toEqual({ status, code });
  });

  it.each(['application/json; charset=latin1', 'multipart/form-data; boundary=x', 'text/plain', 'text/json'])(
    'R29: a body of the type %s is refused',
    async (type) => {
      const answer = await ask(herald, {
        method: 'POST',
        token,
        headers: { 'content-type': type },
        body: 'topic=urn:a',
      });
      expect(answer.status).toBe(415);
    },
  );

  it('R29: a body without a type is refused, and one with parameters or in capitals is not', async () => {
    const question = { method: 'POST', token, body: 'topic=urn:a' };
    expect((await ask(herald, question)).status).toBe(415);
    for (const type of ['application/x-www-form-urlencoded; charset=UTF-8', 'Application/X-WWW-Form-URLEncoded']) {
      expect((await ask(herald, { ...question, headers: { 'content-type': type } })).status).toBe(200);
    }
  });

  it('R29: the form is read by the rules of the URL Standard', async () => {
    expect(await frameOf('topic=urn:a&id=1&data=100%25+a+%+%zz;data=2&data=3')).toBe(
      'id: 1\ndata: 100% a % %zz;data=2\n\n',
    );
    // Bytes that were not percent-encoded are UTF-8 too.
    expect(await frameOf(Buffer.from('topic=urn:a&id=1&data=é\u{1F600}'))).toBe('id: 1\ndata: é\u{1F600}\n\n');
  });

  it.each([
    '*',
    '',
    'mercure',
    'mercure/x',
    '?q',
    '#f',
    './mercure',
    '/.well-known/mercure',
    '/.well-known/x/../mercure',
    '/.well-known/%2e%2e/.well-known/mercure',
    '/.well-known/%6Dercure/subscriptions',
    '/%2Ewell-known/mercure',
    'https://hub.example/.well-known/mercure',
    'https://other.example/.well-known/mercure/x?y#z',
    'ftp://other.example/.well-known/mercure/',
    '//other.example/.well-known/mercure',
    'https://hub.example\\.well-known\\mercure',
    ' /.well-known/mercure ',
  ])('R30: nobody can publish to "%s"', async (topic) => {
    expect(await refusal(form({ topic, data: 'x' }))).toEqual({ status: 400, code: 'topic-reserved' });
    expect(await refusal(form({ topic: ['urn:a', topic], data: 'x' }))).toEqual({
      status: 400,
      code: 'topic-reserved',
    });
  });

  it.each([
    '/.well-known/mercurex',
    '/.well-known/mercur',
    '/.Well-Known/mercure',
    '**',
    'urn:mercure',
    'https://',
    '/',
  ])('R30: anybody who may can publish to "%s"', async (topic) => {
    expect((await publish(herald, { topic, data: 'x' }, token)).status).toBe(200);
  });

  it('R30: a reserved topic is refused with 400 whatever the token grants', async () => {
    const limited = await publisher(['urn:mine']);
    for (const topic of ['*', '/.well-known/mercure/subscriptions']) {
      expect(await publish(herald, { topic }, limited)).toMatchObject({ status: 400, code: 'topic-reserved' });
    }
  });

  it.each([
    ['LF', 'a%0Ab', 'data: a\ndata: b\n'],
    ['CR', 'a%0Db', 'data: a\ndata: b\n'],
    ['CRLF', 'a%0D%0Ab', 'data: a\ndata: b\n'],
    ['each kind once more', '%0D%0A%0A%0D', 'data: \ndata: \ndata: \ndata: \n'],
    ['what looks like fields', 'x%0A%0Aid: evil%0Devent: evil', 'data: x\ndata: \ndata: id: evil\ndata: event: evil\n'],
    ['other line separators, which are none', 'a%E2%80%A8b%0Bc', 'data: a\u2028b\u000Bc\n'],
    ['nothing', '', 'data: \n'],
  ])('R31: data with %s is one field a line', async (_, data, lines) => {
    expect(await frameOf(`topic=urn:a&id=urn:r31&data=${data}`)).toBe(`id: urn:r31\n${lines}\n`);
  });

  it('R31: data that is not UTF-8 is refused', async () => {
    expect(await refusal('topic=urn:a&data=%C3%28')).toEqual({ status: 400, code: 'encoding-invalid' });
  });

  it.each(['private=on', 'private=', 'private', 'private=false', 'private=0'])(
    'R32: %s makes an update private',
    async (field) => {
      await using stream = await subscribe(herald, { query: withEnd(`${parameter}=*`, parameter) });
      expect((await publish(herald, `topic=urn:a&data=secret&${field}`, token)).status).toBe(200);
      await publishEnd(herald, token);
      expect(await dataOfUntilEnd(stream)).toEqual([]);
    },
  );

  it('R32: another field does not', async () => {
    expect(await frameOf('topic=urn:a&data=x&id=urn:r32&Private=on')).toBe('id: urn:r32\ndata: x\n\n');
  });

  it.each([
    ['a leading #', '%23x'],
    ['the reserved word', 'earliest'],
    ['the prefix of cursors', 'herald-cursor:x'],
    ['a line end', 'a%0Ab'],
    ['U+0000', 'a%00'],
    ['a formatting character', 'a%E2%80%8B'],
    ['what clients can not send back in a header', 'a%C3%A9'],
  ])('R33: an id with %s is refused', async (_, id) => {
    expect(await refusal(`topic=urn:a&id=${id}`)).toEqual({ status: 400, code: 'id-invalid' });
  });

  it('R33: an id is kept, and made where there is none, each time another', async () => {
    expect((await publish(herald, 'topic=urn:a&id=a%23b', token)).text).toBe('a#b');
    const made = await Promise.all(['topic=urn:a', 'topic=urn:a&id='].map((body) => publish(herald, body, token)));
    for (const { text } of made)
      expect(text).toMatch(/^urn:uuid:[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(made[0]?.text).not.toBe(made[1]?.text);
  });

  it.each([
    ['mercure', 'mercure'],
    ['the name of the hub’s own notices', 'herald'],
    ['a name that EventSource uses itself', 'error'],
    ['a line end', 'a%0Ab'],
    ['a control character', 'a%1B'],
    ['a formatting character', 'a%E2%80%8E'],
  ])('R34: the type is refused that is or has %s', async (_, type) => {
    expect(await refusal(`topic=urn:a&type=${type}`)).toEqual({ status: 400, code: 'type-invalid' });
  });

  it('R34: other types are kept', async () => {
    expect(await frameOf('topic=urn:a&id=urn:r34&type=Mercure%20%C3%A9')).toBe(
      'id: urn:r34\nevent: Mercure é\ndata: \n\n',
    );
  });

  it.each(['-1', '%2B1', '1e3', '1.5', '0x10', ' 1', '1 ', '%D9%A3', '1_000', 'soon', '99999999999999999999'])(
    'R35: retry=%s is refused',
    async (retry) => {
      expect(await refusal(`topic=urn:a&retry=${retry}`)).toEqual({ status: 400, code: 'retry-invalid' });
    },
  );

  it('R35: digits are taken', async () => {
    expect(await frameOf('topic=urn:a&id=urn:r35&retry=001500')).toBe('id: urn:r35\nretry: 1500\ndata: \n\n');
  });

  it('R36: unknown fields are ignored, and of known ones the first counts', async () => {
    const body = 'foo=bar&topic=urn:a&id=urn:r36&data=first&data=second&id=second&match=x&%5B%5D=%5B%5D&__proto__=x';
    expect(await frameOf(body)).toBe('id: urn:r36\ndata: first\n\n');
  });

  it('R37: success is 200 with the id, and nothing else, as text', async () => {
    const answer = await publish(herald, { topic: 'urn:a', id: 'urn:r37' }, token);
    expect(answer).toMatchObject({
      status: 200,
      text: 'urn:r37',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
  });

  it.each([
    ['1001 topics', 'topics-too-many', 'topic=urn:a&'.repeat(1_001)],
    ['a topic of 4097 bytes', 'topic-too-long', `topic=${'x'.repeat(4_097)}`],
    ['an id of 256 characters', 'id-too-long', `topic=urn:a&id=${'x'.repeat(256)}`],
    ['a type of 256 characters', 'type-too-long', `topic=urn:a&type=${'x'.repeat(256)}`],
    ['1200 fields', 'fields-too-many', `topic=urn:a${'&x=y'.repeat(1_200)}`],
  ])('R38: %s: too much', async (_, code, body) => {
    expect(await refusal(body)).toEqual({ status: 413, code });
  });

  it('R38: a body above the limit is too much, and what is at the limits is not', async () => {
    expect((await publish(herald, `topic=urn:a&data=${'x'.repeat(65_536)}`, token)).status).toBe(413);
    expect((await publish(herald, 'topic=urn:a&'.repeat(1_000), token)).status).toBe(200);
    expect((await publish(herald, `topic=${'x'.repeat(4_096)}`, token)).status).toBe(200);
  });

  it('R39: publishing needs a token, whatever readers need', async () => {
    expect(await publish(herald, { topic: 'urn:a' })).toMatchObject({ status: 401, code: 'unauthorized' });
  });

  it('R14: what is published at once is seen by everybody in one order', async () => {
    await using one = await subscribe(herald, { query: withEnd(`${parameter}=urn:r14`, parameter) });
    await using other = await subscribe(herald, { query: withEnd(`${parameter}=urn:r14`, parameter) });
    const publishing = Array.from({ length: 50 }, (_, index) =>
      ask(herald, {
        method: 'POST',
        path: HUB,
        headers: { ...FORM, ...bearer(token) },
        body: form({ topic: 'urn:r14', data: String(index) }),
      }),
    );
    expect((await Promise.all(publishing)).map(({ status }) => status)).toEqual(publishing.map(() => 200));
    await publishEnd(herald, token);
    const [seen, seenByOther] = [await dataOfUntilEnd(one), await dataOfUntilEnd(other)];
    expect(new Set(seen).size).toBe(50);
    expect(seenByOther).toEqual(seen);
  });
});
