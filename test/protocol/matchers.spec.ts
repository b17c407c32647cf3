import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import { publisherToken, startHub, subscribe } from '../support/hub.js';
import { ask, dataOfUntilEnd, publish, publishEnd, withEnd } from './exchange.js';

describe('matchers', () => {
  let herald: Herald;
  let token: string;

  beforeAll(async () => {
    herald = await startHub();
    token = await publisherToken();
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  /** Which of these topics' updates a subscription with one matcher gets. */
  async function delivered(name: string, value: string, topics: readonly string[]): Promise<string[]> {
    await using stream = await subscribe(herald, { query: withEnd(`${name}=${encodeURIComponent(value)}`) });
    for (const topic of topics) expect((await publish(herald, { topic, data: topic }, token)).status).toBe(200);
    await publishEnd(herald, token);
    return await dataOfUntilEnd(stream);
  }

  it('R9: match is exact, match_exact the same, match_urlpattern a pattern, and they mix', async () => {
    const topics = ['https://example.com/:id', 'https://example.com/1', 'urn:r9'];
    expect(await delivered('match', 'https://example.com/:id', topics)).toEqual(['https://example.com/:id']);
    expect(await delivered('match_exact', 'https://example.com/:id', topics)).toEqual(['https://example.com/:id']);
    expect(await delivered('match_urlpattern', 'https://example.com/:id', topics)).toEqual(topics.slice(0, 2));
    expect(await delivered('match=urn:r9&match_urlpattern', 'https://example.com/1', topics)).toEqual(topics.slice(1));
  });

  it('R22: the types that the hub knows are listed in its metadata, and no other is taken', async () => {
    const { text } = await ask(herald, { path: '/.well-known/oauth-protected-resource/.well-known/mercure' });
    const { mercure_matcher_types_supported: types } = JSON.parse(text) as Record<string, string[]>;
    expect(types).toEqual(['exact', 'urlpattern']);
    for (const type of types ?? []) {
      expect((await ask(herald, { query: `match_${type}=urn:a` })).status).toBe(200);
    }
    for (const type of ['regexp', 'uritemplate', 'prefix', 'cel']) {
      expect(await ask(herald, { query: `match_${type}=urn:a` })).toMatchObject({
        status: 400,
        code: 'matcher-unknown',
      });
    }
  });

  it.each(['match', 'match_exact', 'match_urlpattern'])('R23: %s=* is every topic', async (name) => {
    const topics = ['urn:r23', 'https://example.com/r23', '/r23', 'not a URL: https://', '**'];
    expect(await delivered(name, '*', topics)).toEqual(topics);
  });

  it('R24: exact is byte for byte: neither case, nor Unicode form, nor URL equality counts', async () => {
    const composed = 'https://example.com/caf\u00e9';
    const others = [
      'https://example.com/cafe\u0301',
      'https://example.com/caf%C3%A9',
      'https://EXAMPLE.com/caf\u00e9',
      'https://example.com/./caf\u00e9',
      'https://example.com:443/caf\u00e9',
      'https://example.com/caf\u00e9/',
    ];
    expect(await delivered('match', composed, [...others, composed])).toEqual([composed]);
  });

  it('R24: an exact matcher is not resolved against the hub', async () => {
    expect(await delivered('match', '/r24', ['https://hub.example/r24', 'r24', '/r24'])).toEqual(['/r24']);
  });

  it('R25: patterns and topics are relative to the hub’s URL', async () => {
    const topics = ['/books/1', 'https://hub.example/books/2', '../books/3', 'https://example.com/books/4', 'books/5'];
    const own = ['/books/1', 'https://hub.example/books/2', '../books/3'];
    expect(await delivered('match_urlpattern', '/books/:id', topics)).toEqual(own);
    expect(await delivered('match_urlpattern', 'https://hub.example/books/:id', topics)).toEqual(own);
  });

  it('R25: patterns heed case, but where URLs do not', async () => {
    const topics = ['https://example.com/Books/1', 'https://example.com/books/1', 'HTTPS://EXAMPLE.COM/books/2'];
    expect(await delivered('match_urlpattern', 'https://Example.com/books/:id', topics)).toEqual(topics.slice(1));
  });

  it('R26: a topic that is no URL matches no pattern', async () => {
    const topics = ['https://', 'https://a b/', 'http://[::1/', 'https://example.com/r26'];
    for (const pattern of [':protocol://*/*', 'http{s}?://*']) {
      expect(await delivered('match_urlpattern', pattern, topics)).toEqual(['https://example.com/r26']);
    }
    // An exact matcher takes the text as it is.
    expect(await delivered('match', 'https://', topics)).toEqual(['https://']);
  });

  it.each(['((?:a+)+)', '((?:a|aa)*)', '((?:a*)*b)', '(a*a*a*a*a*a*b)'])(
    'R27: the pattern %s costs no more than linear time',
    async (group) => {
      const evil = `https://example.com/r27/${'a'.repeat(4_000)}!`;
      const good = 'https://example.com/r27/aaab';
      const pattern = `https://example.com/r27/:x${group}`;
      const answer = await ask(herald, { query: `match_urlpattern=${encodeURIComponent(pattern)}` });
      expect(answer.status).toBe(200);
      // A backtracking engine would take longer than the universe lasts: the test ends, and the topic is no match.
      const hits = await delivered('match_urlpattern', pattern, [evil, good]);
      expect(hits).toEqual(group.includes('b') ? [good] : []);
    },
  );

  it.each(['(?=a)a', String.raw`(?:(a)\1)`, '(?<!a)b', '(?:a{1000}){1000}'])(
    'R27: %s, which can not be matched in linear time and little memory, is refused',
    async (group) => {
      const pattern = `https://example.com/r27/:x(${group})`;
      const answer = await ask(herald, { query: `match_urlpattern=${encodeURIComponent(pattern)}` });
      expect(answer).toMatchObject({ status: 400, code: 'matcher-invalid' });
    },
  );
});
