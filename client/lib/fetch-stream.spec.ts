import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fetchStream } from './fetch-stream.js';
import type { StreamEnd, StreamListener, StreamRequest } from './stream.js';

/** Seconds since the epoch. */
const NOW = 1_800_000_000;

/** A JWT that is good for as many seconds. */
function jwt(seconds: number): string {
  return `e30.${btoa(JSON.stringify({ exp: NOW + seconds }))}.`;
}

/** How an attempt with this token ends, which the hub refuses after as many seconds. */
function endOf(token: string, reason: StreamRequest['reason'], seconds: number): Promise<StreamEnd> {
  const settings = {
    url: 'https://hub.example/',
    token: () => Promise.resolve(token),
    cookies: false,
    grace: 2.5,
    fetch: () => {
      jest.setSystemTime((NOW + seconds) * 1_000);
      const headers = { 'content-type': 'application/problem+json' };
      return Promise.resolve(new Response('{"code":"token-invalid"}', { status: 401, headers }));
    },
    ways: { canQuery: true },
    debug: () => undefined,
  };
  return new Promise((resolve) => {
    fetchStream(settings, { query: 'match=a', isResuming: false, reason }, {
      over: resolve,
    } as Partial<StreamListener> as StreamListener);
  });
}

describe('a token that the hub refuses', () => {
  beforeEach(() => {
    jest.useFakeTimers({ now: NOW * 1_000 });
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it.each<[string, string, StreamRequest['reason'], number, string]>([
    ['is not the last one if it was fresh, and over before the hub had it', jwt(2), 'unauthorized', 3, 'token-failed'],
    ['is to be replaced if it was over before the hub had it', jwt(2), 'reconnect', 3, 'unauthorized'],
    ['is refused for good if it was fresh, and still good', jwt(5), 'unauthorized', 3, 'unauthorized'],
    ['is refused for good if it was fresh, and over from the beginning', jwt(-1), 'unauthorized', 3, 'unauthorized'],
    ['is refused for good if it was fresh, and is no JWT', 'opaque', 'unauthorized', 3, 'unauthorized'],
  ])('%s', async (_, token, reason, seconds, code) => {
    expect(await endOf(token, reason, seconds)).toMatchObject({
      code,
      status: 401,
      problem: { code: 'token-invalid' },
    });
  });
});
