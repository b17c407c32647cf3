import { describe, expect, it } from '@jest/globals';
import { HubError } from '../../../access/hub.errors.js';
import { LEGACY_DIALECT } from '../../legacy/legacy-dialect.js';
import { parseSubscribe, type SubscribeInput, type SubscribeRequest } from './subscribe-request.js';

const hubUrl = new URL('https://hub.example/.well-known/mercure');

function subscribe(query: string, more: Partial<SubscribeInput> = {}): SubscribeRequest {
  const steps = parseSubscribe({ query, hubUrl, ...more });
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function cursorOf(query: string, more: Partial<SubscribeInput> = {}): string | undefined {
  return subscribe(`match=a&${query}`, more).cursor;
}

function refusal(query: string, more: Partial<SubscribeInput> = {}): HubError {
  try {
    subscribe(query, more);
  } catch (error) {
    if (error instanceof HubError) return error;
  }
  throw new Error('it was accepted');
}

describe('the matchers of a subscription', () => {
  it('R9: may be repeated and mixed', () => {
    expect(subscribe('match=a&match_exact=b&match_urlpattern=/books/:id&match=*').matchers).toEqual([
      { type: 'exact', pattern: 'a' },
      { type: 'exact', pattern: 'b' },
      { type: 'urlpattern', pattern: '/books/:id' },
      { type: 'exact', pattern: '*' },
    ]);
  });

  it('R7: are those of the query and of the body together', () => {
    expect(subscribe('match=a&match=b', { body: Buffer.from('match=b&match=c') }).matchers).toEqual(
      ['a', 'b', 'c'].map((pattern) => ({ type: 'exact', pattern })),
    );
    expect(subscribe('', { body: Buffer.from('match=c') }).matchers).toHaveLength(1);
  });

  it.each(['match', 'match=', 'match=a&match=', 'match_urlpattern='])('R11: are not empty, as in %s', (query) => {
    expect(() => subscribe(query)).toThrow(expect.objectContaining({ code: 'matcher-invalid' }));
  });

  /** Parameters with so many different values, all of them filled up to a length. */
  function many(name: string, count: number, prefix = '', length = 0): string {
    const values = Array.from({ length: count }, (_, index) => `${prefix}${String(index).padEnd(length, 'x')}`);
    return values.map((value) => `${name}=${value}`).join('&');
  }

  it('R15: are at most 1,000 exact topics and 100 patterns, the same one counted once', () => {
    const query = `${many('match', 1_000)}&${many('match_urlpattern', 100, '/')}`;
    expect(subscribe(`${query}&${many('match_exact', 90)}`).matchers).toHaveLength(1_100);
    expect(refusal(`${query}&match=1000`).code).toBe('matchers-too-many');
    expect(refusal(`${query}&match_urlpattern=/100`)).toMatchObject({
      code: 'matchers-too-many',
      limit: { count: 100, bytes: 16_384 },
    });
    expect(refusal('x&'.repeat(1_201)).code).toBe('parameters-too-many');
  });

  it('are read in a step for each pattern, and in none where there are only topics', () => {
    const steps = parseSubscribe({ query: many('match_urlpattern', 50, '/'), hubUrl });
    let count = 0;
    while (!steps.next().done) count += 1;
    expect(count).toBe(50);
    expect(parseSubscribe({ query: many('match', 50), hubUrl }).next().done).toBe(true);
  });

  it('R15: are at most 128 KB of exact topics and 16 KB of patterns', () => {
    const query = `${many('match', 32, '', 4_096)}&${many('match_urlpattern', 4, '/', 4_095)}`;
    expect(subscribe(query).matchers).toHaveLength(36);
    expect(refusal(`${query}&match=a`).code).toBe('matchers-too-many');
    expect(refusal(`${query}&match_urlpattern=/`).code).toBe('matchers-too-many');
  });

  it('R15: cost no more to match together than a few dozen patterns for UUIDs', () => {
    const uuid = encodeURIComponent('/:id([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/');
    expect(subscribe(many('match_urlpattern', 25, uuid)).matchers).toHaveLength(25);
    expect(refusal(many('match_urlpattern', 100, uuid)).code).toBe('matchers-too-costly');
  });

  it('R15: are in 0.x at most 1,000 topics and templates together, whose templates cost no more', () => {
    const options = { dialect: LEGACY_DIALECT };
    const query = `${many('topic', 970)}&${many('topic', 30, '{id}/')}`;
    expect(subscribe(query, options).matchers).toHaveLength(1_000);
    expect(refusal(`${query}&topic=more`, options).code).toBe('matchers-too-many');
    expect(refusal(`${query}&topic={more}`, options).code).toBe('matchers-too-many');
    expect(refusal(many('topic', 40, '', 4_000), options).code).toBe('matchers-too-many');
    expect(refusal(many('topic', 2, '{%2Ba}', 2_000), options).code).toBe('matchers-too-costly');
  });

  it.each([
    'Match=a',
    'MATCH_EXACT=a',
    'matchfoo=a',
    'match_=a',
    'match_regexp=a',
    'match_URLPattern=a',
    'match-exact=a',
    'matches',
  ])('R12: are refused when their name is %s', (parameter) => {
    expect(refusal(`match=b&${parameter}`).code).toBe('matcher-unknown');
  });

  it('R12: are refused when their name is "topic", with a hint', () => {
    expect(refusal('topic=a&match=b')).toMatchObject({
      code: 'matcher-unknown',
      message: expect.stringContaining('"match"'),
    });
  });

  it('are refused when there are none', () => {
    expect(refusal('').code).toBe('matcher-missing');
    expect(refusal('xmatch=a&mat=b&last_event_id=1').code).toBe('matcher-missing');
  });

  it.each([
    ['R13', 'matcher-invalid', 'match=a%0Ab'],
    ['R13', 'matcher-invalid', 'match_urlpattern=/%7B'],
    ['R15', 'matcher-too-long', `match=${'a'.repeat(4097)}`],
    ['R11', 'encoding-invalid', 'match=%FF'],
  ])('%s: are refused with %s', (_, code, query) => {
    expect(refusal(query).code).toBe(code);
    expect(refusal('', { body: Buffer.from(query) }).code).toBe(code);
  });
});

describe('the cursor of a subscription', () => {
  it('R65: is that of the header before the query, of the query before the body', () => {
    const body = Buffer.from('last_event_id=body');
    expect(cursorOf('last_event_id=query', { body, lastEventIdHeader: 'header' })).toBe('header');
    expect(cursorOf('last_event_id=query', { body })).toBe('query');
    expect(cursorOf('', { body })).toBe('body');
    expect(cursorOf('', { lastEventIdHeader: 'header' })).toBe('header');
  });

  it('is absent when there is none', () => {
    expect(subscribe('match=a')).not.toHaveProperty('cursor');
  });

  it('R69: may be empty', () => {
    expect(cursorOf('last_event_id=')).toBe('');
    expect(cursorOf('last_event_id')).toBe('');
    expect(cursorOf('last_event_id=1', { lastEventIdHeader: '' })).toBe('');
  });

  it.each(['last_event_id', 'lastEventId', 'lastEventID', 'Last-Event-ID', 'evs_last_event_id', 'LAST_EVENT_ID'])(
    'may be spelt %s',
    (name) => {
      expect(cursorOf(`${name}=urn:uuid:1`)).toBe('urn:uuid:1');
    },
  );

  it('is the first of several in the query', () => {
    expect(cursorOf('lastEventId=1&last_event_id=2')).toBe('1');
  });
});

describe('the rate of a subscription', () => {
  it.each([
    ['0.1', 0.1],
    ['2', 2],
    ['2.50', 2.5],
    ['20', 20],
  ])('may be %s', (text, rate) => {
    expect(subscribe(`match=a&max_rate=${text}`).maxRate).toBe(rate);
    expect(subscribe('', { body: Buffer.from(`match=a&max_rate=${text}`) }).maxRate).toBe(rate);
    expect(subscribe(`topic=a&max_rate=${text}`, { dialect: LEGACY_DIALECT }).maxRate).toBe(rate);
  });

  it('is unlimited where none is asked for', () => {
    expect(subscribe('match=a')).not.toHaveProperty('maxRate');
  });

  it.each(['0', '0.09', '20.01', '100', '-1', '.5', '1.', '1e1', '0x2', '', ' 2'])('is not "%s"', (text) => {
    expect(refusal(`match=a&max_rate=${encodeURIComponent(text)}`).code).toBe('max-rate-invalid');
  });
});
