import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Refusal } from './refusal.js';
import type { Transport } from './stream.js';
import { Streams } from './streams.js';
import type { SourceListener } from './wire.js';

/** What a hub takes on one stream: it says how many matchers, and keeps to itself what they may cost. */
interface Hub {
  readonly count: number;
  readonly cost: number;
}

/** Matchers of streams that are open, by the numbers of their requests. */
const open = new Map<number, readonly string[]>();
let asked = 0;

/** A hub where a matcher costs 1, and one with `dear` in it 2. */
function hubThatTakes({ count, cost }: Hub): Transport {
  const costOf = (one: string): number => (one.includes('dear') ? 2 : 1);
  return (_settings, { query }, listener) => {
    const number = (asked += 1);
    const matchers = query.split('&').filter((one) => one.startsWith('match='));
    const answer = (): void => {
      const total = matchers.reduce((sum, one) => sum + costOf(one), 0);
      const limit = { count, bytes: 1_000 };
      if (matchers.length > count) refuse({ code: 'matchers-too-many', blames: 'all', limit });
      else if (total > cost) refuse({ code: 'matchers-too-costly', blames: 'all' });
      else {
        open.set(number, matchers);
        listener.opened({ cursor: 'x', isReplaying: false });
      }
    };
    const refuse = (problem: Refusal): void => listener.over({ code: 'refused', status: 400, problem });
    const timer = setTimeout(answer, 1);
    const close = (): void => {
      clearTimeout(timer);
      open.delete(number);
    };
    return { close, look: () => undefined };
  };
}

const settings = {
  url: 'http://hub.example/',
  token: undefined,
  cookies: false,
  grace: 2.5,
  fetch,
  ways: { canQuery: true },
  debug: () => undefined,
};

const topics = (...names: readonly string[]): string[] => names.map((name) => `match=${name}`);

describe('the two streams of a page over HTTP/1.1', () => {
  const refused: string[] = [];
  let streams: Streams;

  function read(hub: Hub): void {
    const names = ['message', 'notice', 'covers', 'missed', 'state', 'error'] as const;
    const listener = {
      ...Object.fromEntries(names.map((name) => [name, () => undefined])),
      refused: (matcher: string) => void refused.push(matcher),
    };
    streams = new Streams({ settings, transport: hubThatTakes(hub) }, listener as unknown as SourceListener);
  }

  /** Lets things settle, for less time than something lingers. */
  function want(...bundles: readonly (readonly string[])[]): void {
    streams.want(bundles);
    jest.advanceTimersByTime(3_000);
  }

  function carried(): string[][] {
    return [...open.values()]
      .map((matchers) => matchers.toSorted())
      .toSorted(([one = ''], [other = '']) => (one < other ? -1 : 1));
  }

  beforeEach(() => {
    jest.useFakeTimers();
    Object.assign(globalThis, { location: {} });
    refused.length = 0;
    open.clear();
  });

  afterEach(() => {
    streams.close();
    Reflect.deleteProperty(globalThis, 'location');
    jest.useRealTimers();
  });

  it('leave others what they have where somebody who has that as well finds no room', () => {
    read({ count: 2, cost: Infinity });
    const full = ['a', 'b', 'c', 'd'].map((name) => topics(name));
    want(...full, topics('a', 'e'));

    expect(refused).toEqual(topics('e'));
    want(...full, topics('a'));
    expect(carried()).toEqual([topics('a', 'b'), topics('c', 'd')]);
  });

  it('refuse what is on neither of them whole, where it fits on neither', () => {
    read({ count: 2, cost: Infinity });
    want(...['a', 'b', 'c', 'd'].map((name) => topics(name)), topics('a', 'c'));

    expect(refused).toEqual(topics('a', 'c'));
  });

  it('have room for what somebody wants where only what nobody wants any more is in the way', () => {
    read({ count: 100, cost: 2 });
    want(topics('dear'), topics('dear-too'));
    expect(carried()).toEqual([topics('dear'), topics('dear-too')]);
    want(topics('dear'), topics('dear-three'));

    expect(refused).toEqual([]);
    expect(carried()).toEqual([topics('dear'), topics('dear-three')]);
  });

  it('take more once something has left one that was full', () => {
    read({ count: 100, cost: 2 });
    want(topics('a'), topics('b'), topics('dear'), topics('c'));
    expect(refused).toEqual(topics('c'));
    want(topics('a'), topics('dear'));
    jest.advanceTimersByTime(20_000);
    want(topics('a'), topics('dear'), topics('d'));

    expect(refused).toEqual(topics('c'));
    expect(carried()).toEqual([topics('a', 'd'), topics('dear')]);
  });
});
