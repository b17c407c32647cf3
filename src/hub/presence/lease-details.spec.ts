import { expect, it } from '@jest/globals';
import { interest, person } from '../../../test/support/presence-stage.js';
import { describeStream, matchersIn } from './lease-details.js';

const SHOWN = { name: 'Ann' };
const showing = (payloads: Readonly<Record<string, object>>) => ({
  ...person('ann'),
  payloadFor: (text: string) => payloads[text],
});
const exact = (pattern: string) => ({ type: 'exact', pattern });

it('has each payload once, and gives it back with each of its matchers', () => {
  const { details } = describeStream(interest('a', 'b', 'c'), showing({ a: SHOWN, b: SHOWN }), '::1');
  expect(details.split('Ann')).toHaveLength(2);
  const matchers = matchersIn(details);
  expect(matchers).toEqual([
    { matcher: exact('a'), payload: SHOWN },
    { matcher: exact('b'), payload: SHOWN },
    { matcher: exact('c'), payload: undefined },
  ]);
  expect(matchers[0]?.payload).toBe(matchers[1]?.payload);
});

it('reads what earlier versions have written', () => {
  const details = JSON.stringify({ matchers: [{ matcher: exact('a'), payload: SHOWN }, { matcher: exact('b') }] });
  expect(matchersIn(details)).toEqual([
    { matcher: exact('a'), payload: SHOWN },
    { matcher: exact('b'), payload: undefined },
  ]);
});

it('recognises a stream by who it is, its matchers in any order, and what is shown with each', () => {
  const keyOf = (payloads: Readonly<Record<string, object>>, ...topics: string[]): string =>
    describeStream(interest(...topics), showing(payloads), '::1').key;
  const key = keyOf({ a: SHOWN, b: { b: 1 } }, 'a', 'b');
  expect(keyOf({ a: { ...SHOWN }, b: { b: 1 } }, 'b', 'a')).toBe(key);
  const others = [keyOf({ a: SHOWN }, 'a', 'b'), keyOf({ b: SHOWN, a: { b: 1 } }, 'a', 'b'), keyOf({ a: SHOWN }, 'a')];
  expect(new Set([key, ...others]).size).toBe(4);
});
