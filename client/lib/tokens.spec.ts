import { describe, expect, it, jest } from '@jest/globals';
import type { TokenProvider, TokenRequest } from './token.js';
import { Tokens } from './tokens.js';

const NOW = Math.floor(Date.now() / 1_000);

/** A JWT that is good for as many seconds. */
function jwt(seconds: number, name = 'x'): string {
  return `e30.${btoa(JSON.stringify({ exp: NOW + seconds, name }))}.`;
}

function request(reason: TokenRequest['reason'], more: Partial<TokenRequest> = {}): TokenRequest {
  return { reason, signal: new AbortController().signal, ...more };
}

/** A provider that gives these, one after the other, and notes the reasons. */
function giving(...tokens: string[]): { readonly provider: TokenProvider; readonly reasons: string[] } {
  const reasons: string[] = [];
  const provider: TokenProvider = ({ reason }) => tokens[reasons.push(reason) - 1] ?? '';
  return { provider, reasons };
}

describe('the tokens of a client', () => {
  it('are kept until shortly before they expire', async () => {
    jest.useFakeTimers({ now: NOW * 1_000 });
    const { provider, reasons } = giving(jwt(600, 'first'), jwt(1_200, 'second'));
    const tokens = new Tokens(provider);
    const first = await tokens.ask(request('initial'));
    jest.setSystemTime((NOW + 569) * 1_000);
    expect(await tokens.ask(request('reconnect'))).toBe(first);
    jest.setSystemTime((NOW + 571) * 1_000);
    expect(await tokens.ask(request('reconnect'))).toBe(jwt(1_200, 'second'));
    jest.useRealTimers();

    expect(reasons).toEqual(['initial', 'reconnect']);
  });

  it('are asked for each time where they do not say how long they are good', async () => {
    const { provider, reasons } = giving('a', 'b', jwt(-60), jwt(-50));
    const tokens = new Tokens(provider);
    for (const expected of ['a', 'b', jwt(-60), jwt(-50)]) {
      expect(await tokens.ask(request('reconnect'))).toBe(expected);
    }
    expect(reasons).toHaveLength(4);
  });

  it.each(['unauthorized', 'expired'] as const)('are not used again once the hub said %s', async (reason) => {
    const { provider, reasons } = giving(jwt(600, 'first'), jwt(600, 'second'));
    const tokens = new Tokens(provider);
    await tokens.ask(request('initial'));
    expect(await tokens.ask(request(reason))).toBe(jwt(600, 'second'));
    expect(await tokens.ask(request('reconnect'))).toBe(jwt(600, 'second'));

    expect(reasons).toEqual(['initial', reason]);
  });

  it('are used for publishing only once the hub has refused the one for publishing, if others are for that', async () => {
    const given: TokenRequest[] = [];
    const tokens = new Tokens((asked) => {
      given.push(asked);
      return jwt(600, `${asked.use ?? ''} ${asked.reason} ${given.length}`);
    });
    expect(await tokens.ask(request('initial'))).toBe(jwt(600, ' initial 1'));
    expect(await tokens.ask(request('publish', { use: 'publish' }))).toBe(jwt(600, 'publish publish 2'));
    expect(await tokens.ask(request('publish'))).toBe(jwt(600, 'publish publish 2'));
    const fresh = await tokens.ask(request('unauthorized', { use: 'publish' }));
    expect(fresh).toBe(jwt(600, 'publish unauthorized 3'));
    expect(await tokens.ask(request('publish'))).toBe(fresh);
  });

  it('come of one call for all who ask at a time, which ends when nobody waits any more', async () => {
    const signals: AbortSignal[] = [];
    let answer: (token: string) => void = () => undefined;
    const provider = ({ signal }: TokenRequest): Promise<string> => {
      signals.push(signal);
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const tokens = new Tokens(provider);
    const [one, other] = [new AbortController(), new AbortController()];
    const asked = [one, other].map(({ signal }) => tokens.ask(request('initial', { signal })));
    one.abort(new Error('gone'));
    await expect(asked[0]).rejects.toThrow('gone');
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    answer('token');
    expect(await asked[1]).toBe('token');

    const again = new AbortController();
    const third = tokens.ask(request('reconnect', { signal: again.signal }));
    again.abort(new Error('gone'));
    await expect(third).rejects.toThrow('gone');
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
    const fourth = tokens.ask(request('reconnect'));
    expect(signals).toHaveLength(3);
    answer('at last');
    expect(await fourth).toBe('at last');
  });

  it('are asked for again after a failure, also one that is thrown at once', async () => {
    let asked = 0;
    const tokens = new Tokens(() => {
      asked += 1;
      if (asked < 3) throw new Error('the login service is away');
      return 'token';
    });
    await expect(tokens.look(new AbortController().signal)).rejects.toThrow('away');
    await expect(tokens.ask(request('initial'))).rejects.toThrow('away');
    expect(await tokens.ask(request('initial'))).toBe('token');
  });

  it('are kept for the request for which they were looked at', async () => {
    const { provider, reasons } = giving('a', 'b');
    const tokens = new Tokens(provider);
    const seen: unknown[] = [];
    tokens.watch(async (token) => void seen.push(token));
    await tokens.look(new AbortController().signal);
    expect(await tokens.ask(request('initial'))).toBe('a');
    expect(await tokens.ask(request('reconnect'))).toBe('b');

    expect(seen).toEqual(['a', 'a', 'b']);
    expect(reasons).toEqual(['initial', 'reconnect']);
  });

  it('are those that were set last, also for who asked before; only what is published keeps its own', async () => {
    const answers: ((token: string) => void)[] = [];
    const slow = (): Promise<string> => new Promise((resolve) => answers.push(resolve));
    const tokens = new Tokens(slow);
    const seen: unknown[] = [];
    tokens.watch(async (token) => void seen.push(token));
    const reading = tokens.ask(request('initial'));
    const publishing = tokens.ask(request('publish'));
    tokens.set('of another');
    for (const answer of answers) answer(jwt(600, 'of the first'));

    expect(await reading).toBe('of another');
    expect(await publishing).toBe(jwt(600, 'of the first'));
    expect(await tokens.ask(request('publish'))).toBe('of another');
    expect(seen).toEqual(['of another']);
    tokens.set(undefined);
    expect(tokens.hasProvider).toBe(false);
    expect(await tokens.ask(request('initial'))).toBeUndefined();
  });

  it('were not refused if none was used: a new provider is not told so', async () => {
    const { provider, reasons } = giving('of another');
    const tokens = new Tokens('first');
    await tokens.ask(request('unauthorized'));
    tokens.set(provider);
    await tokens.ask(request('unauthorized'));

    expect(reasons).toEqual(['initial']);
  });
});
