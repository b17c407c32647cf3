import { describe, expect, it } from '@jest/globals';
import type { Answer, Question } from './application.js';
import { memoryOf, type Verdict, verdictOf } from './application-answer.js';
import { Sessions } from './sessions.js';

const HUB = new URL('https://hub.example/.well-known/mercure');
const NOW = 1_800_000_000_000;

function questionOf(cookie: string, authorization?: string): Question {
  const names = { requestId: 'a', traceparent: undefined };
  return { cookie, authorization, action: 'subscribe', origin: undefined, address: '192.0.2.1', ...names };
}

/** Sessions of an application that answers all with the same, and counts how often it is asked. */
function sessionsWith(memory: number, verdict: Verdict = { kind: 'anonymous' }) {
  let asked = 0;
  const answer = (): Promise<Answer> => {
    asked += 1;
    return Promise.resolve({ verdict, memory });
  };
  const sessions = new Sessions({ ask: answer, isMistaken: (reason) => reason as never }, HUB);
  return { sessions, count: () => asked };
}

describe('how long an answer is remembered', () => {
  it.each([
    [null, 0],
    ['', 0],
    ['private', 0],
    ['max-age=0', 0],
    ['private, max-age=10', 10_000],
    ['MAX-AGE="20"', 20_000],
    ['max-age=60', 60_000],
    ['max-age=61', 60_000],
    ['public, max-age=31536000, immutable', 60_000],
    ['max-age=10, no-store', 0],
    ['no-cache, max-age=10', 0],
    ['max-age=soon', 0],
    ['s-maxage=10', 0],
    ['max-age=-5', 0],
  ])('with %j is %d ms', (header, memory) => {
    expect(memoryOf(header)).toBe(memory);
  });
});

describe('what an answer comes to', () => {
  it('is the claims of a token that was made when the application was asked', () => {
    const body = {
      sub: '7',
      exp: 1_900_000_000,
      payload: { name: 'Ann' },
      subscribe: ['urn:a', { match: '/:id', match_type: 'urlpattern' }],
      more: 'is ignored',
    };
    expect(verdictOf(200, JSON.stringify(body), NOW)).toEqual({
      kind: 'granted',
      claims: {
        sub: '7',
        exp: 1_900_000_000,
        iat: 1_800_000_000,
        authorization_details: [
          {
            type: 'https://mercure.rocks/authorization-detail',
            actions: ['subscribe'],
            topics: [
              { match: 'urn:a', match_type: 'exact' },
              { match: '/:id', match_type: 'urlpattern' },
            ],
            payload: { name: 'Ann' },
          },
        ],
      },
    });
    expect(verdictOf(200, '{}', NOW)).toEqual({
      kind: 'granted',
      claims: { iat: 1_800_000_000, authorization_details: [] },
    });
    expect(verdictOf(204, '', NOW)).toEqual({ kind: 'anonymous' });
  });

  it.each<[number, string]>([
    [200, ''],
    [200, '[]'],
    [200, '{"sub":""}'],
    [200, '{"subscribe":"*"}'],
    [200, '{"subscribe":[{"match":"a","match_type":"regexp"}]}'],
    [200, '{"exp":"tomorrow"}'],
    [200, '{"payload":"Ann"}'],
    [201, '{}'],
    [302, ''],
    [404, ''],
    [500, ''],
  ])('is nothing for %d %s', (status, body) => {
    expect(() => verdictOf(status, body, NOW)).toThrow(expect.objectContaining({ name: 'ApplicationAnswerError' }));
  });
});

describe('Sessions', () => {
  it('asks once for the same credentials, whatever is to be done, and again for others', async () => {
    const { sessions, count } = sessionsWith(60_000);
    const ask = async (question: Question): Promise<unknown> => sessions.outcomeOf(question, () => true);
    await ask(questionOf('a'));
    await ask({ ...questionOf('a'), action: 'publish', address: '192.0.2.2', origin: 'https://app.example' });
    expect(count()).toBe(1);
    await ask(questionOf('b'));
    await ask(questionOf('a', 'b'));
    await ask({ ...questionOf(''), cookie: undefined, authorization: 'a' });
    expect(count()).toBe(4);
  });

  it('asks again where the grants are no longer good', async () => {
    const { sessions, count } = sessionsWith(60_000, { kind: 'granted', claims: { sub: 'ann' } });
    await sessions.outcomeOf(questionOf('a'), () => true);
    await sessions.outcomeOf(questionOf('a'), () => true);
    await sessions.outcomeOf(questionOf('a'), () => false);
    expect(count()).toBe(2);
  });

  it('remembers a bounded number of answers, and no credentials', async () => {
    const { sessions, count } = sessionsWith(60_000);
    for (let index = 0; index < 10_001; index += 1) {
      // oxlint-disable-next-line no-await-in-loop -- in this order
      await sessions.outcomeOf(questionOf(`session=${index}`), () => true);
    }
    const { remembered } = sessions as unknown as { remembered: Map<string, unknown> };
    expect(remembered.size).toBe(10_000);
    expect([...remembered.keys()].filter((key) => key.includes('session'))).toEqual([]);
    await sessions.outcomeOf(questionOf('session=0'), () => true);
    expect(count()).toBe(10_002);
  });
});
