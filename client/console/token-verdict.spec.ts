import { describe, expect, it } from '@jest/globals';
import { factsOf } from './token-claims.js';
import { subjectOf } from './token-subject.js';
import { mayPublish, mayRead, type Question } from './token-verdict.js';

const HUB = 'https://hub.example/.well-known/mercure';
const NOW = 1_000_000;

function encode(part: object): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(part))));
}

function tokenOf(claims: object, header: object = { alg: 'HS256', typ: 'at+jwt' }): string {
  const text = [header, claims].map(encode).join('.');
  return `${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}.c2ln`;
}

const detail = (actions: readonly string[], ...topics: readonly object[]) => ({
  type: 'https://mercure.rocks/authorization-detail',
  actions,
  topics,
});

const whole = {
  iss: 'herald',
  aud: [HUB, 'https://elsewhere.example'],
  sub: 'änn',
  iat: 900,
  exp: 2_000,
  jti: 'one',
  authorization_details: [
    {
      ...detail(['subscribe'], { match: 'urn:news' }, { match: '/books/:id', match_type: 'urlpattern' }),
      payload: { name: 'Ann' },
    },
    detail(['publish', 'unknown'], { match: 'urn:news' }),
    { type: 'https://other.example', actions: ['publish', 'admin'], topics: [{ match: '*' }] },
  ],
};

function ask(topic: string, claims: object | 'none' = whole, given: Partial<Question> = {}): Question {
  const facts = claims === 'none' ? 'none' : factsOf(tokenOf(claims));
  return { topic, facts, resource: HUB, now: NOW, UrlPattern: undefined, ...given };
}

/** Patterns as the tests need them, where the platform has none. */
class Books {
  constructor(
    private readonly pattern: string,
    private readonly base: string,
  ) {}

  test(input: string, base: string): boolean {
    return new URL(input, base).href.startsWith(new URL(this.pattern.replace(':id', ''), this.base).href);
  }
}

describe('a token', () => {
  it('says who it is about, by whom, for whom, how long, and what it allows', () => {
    expect(factsOf(tokenOf(whole))).toEqual({
      algorithm: 'HS256',
      keyId: undefined,
      subject: 'änn',
      issuer: 'herald',
      audiences: whole.aud,
      name: 'one',
      issuedAt: 900_000,
      validFrom: undefined,
      expiresAt: 2_000_000,
      reads: [
        { kind: 'exact', text: 'urn:news' },
        { kind: 'pattern', text: '/books/:id' },
      ],
      publishes: [{ kind: 'exact', text: 'urn:news' }],
      isAdmin: false,
      payloads: [{ name: 'Ann' }],
      isOf0x: false,
    });
    expect(subjectOf(tokenOf(whole))).toBe('änn');
    expect(factsOf(tokenOf({ authorization_details: [detail(['admin'], { match: '*' })] }))?.isAdmin).toBe(true);
  });

  it.each(['', 'a', 'a.b.c', 'e30.W10.x', 'e30.bnVsbA.x'])('is none if it can not be read: %s', (text) => {
    expect(factsOf(text)).toBeUndefined();
    expect(subjectOf(text)).toBeUndefined();
  });

  it('may be full of what makes no sense, which allows nothing', () => {
    const odd = {
      sub: 1,
      aud: [2, null],
      exp: 'soon',
      authorization_details: [null, 'x', { ...detail(['publish']), topics: [3, {}] }],
    };
    expect(factsOf(tokenOf(odd))).toMatchObject({
      subject: undefined,
      audiences: [],
      expiresAt: undefined,
      publishes: [],
    });
    expect(factsOf(tokenOf({ mercure: { publish: 'x', subscribe: [1] } }))).toMatchObject({ publishes: [], reads: [] });
  });
});

describe('what a page can tell of a token and a topic', () => {
  it.each([
    ['urn:news', 'read_granted', 'publish_granted'],
    ['https://hub.example/books/1', 'read_granted', 'publish_missing'],
    ['https://hub.example/films/1', 'read_public', 'publish_missing'],
    ['*', 'read_public', 'publish_reserved'],
    ['/.well-known/mercure/subscriptions/x', 'read_public', 'publish_reserved'],
  ])('%s: %s, %s', (topic, reading, publishing) => {
    const question = ask(topic, whole, { UrlPattern: Books });
    expect([mayRead(question).reason, mayPublish(question).reason]).toEqual([reading, publishing]);
    expect([mayRead(question).isAllowed, mayPublish(question).isAllowed]).toEqual(
      [reading, publishing].map((reason) => reason.endsWith('granted')),
    );
  });

  it.each([
    ['none', 'read_anonymous', 'publish_anonymous'],
    [{ ...whole, exp: 1_000 }, 'token_expired', 'token_expired'],
    [{ ...whole, nbf: 1_001 }, 'token_early', 'token_early'],
    [{ ...whole, aud: 'https://elsewhere.example' }, 'token_audience', 'token_audience'],
    [{ mercure: { publish: ['*'], subscribe: ['/books/{id}'] } }, 'token_undecided', 'publish_granted'],
  ] as const)('of %j', (claims, reading, publishing) => {
    const question = ask('urn:news', claims);
    expect([mayRead(question).reason, mayPublish(question).reason]).toEqual([reading, publishing]);
  });

  it('knows what only the hub may publish, also of one at another path', () => {
    const about = (topic: string): Question => ask(topic, whole, { UrlPattern: Books, hubPath: '/api/hub' });
    expect(mayPublish(about('/api/hub/subscriptions/x')).reason).toBe('publish_reserved');
    expect(mayPublish(about('/api/hubs')).reason).toBe('publish_missing');
    expect(mayPublish(about('/.well-known/mercure')).reason).toBe('publish_missing');
  });

  it('is nothing where the token can not be read, or the platform knows no patterns', () => {
    expect(mayRead(ask('urn:news', whole, { facts: undefined })).reason).toBe('token_unreadable');
    expect(mayRead(ask('https://hub.example/books/1'))).toEqual({
      isAllowed: false,
      reason: 'token_undecided',
      by: { kind: 'pattern', text: '/books/:id' },
    });
  });
});
