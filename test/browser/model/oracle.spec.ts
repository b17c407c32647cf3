import { describe, expect, it } from '@jest/globals';
import { Oracle, type Reading } from './oracle.js';
import type { Entry } from './page.js';
import { PEOPLE } from './people.js';
import type { Publication } from './publications.js';
import { Wishes } from './wishes.js';

const ANN = PEOPLE.findIndex(({ name }) => name === 'ann');
const BOB = PEOPLE.findIndex(({ name }) => name === 'bob');

const wishes = new Wishes('p');
const A = wishes.toTopic('a');
const B = wishes.toTopic('b');

/** All that was published, by its time: `a3` is only ann's, `b4` is hers and bob's. */
const PUBLICATIONS: readonly Publication[] = [
  { id: 'a1', topics: ['a'], isPrivate: false, sentAt: 100 },
  { id: 'a2', topics: ['a', 'b'], isPrivate: false, sentAt: 200 },
  { id: 'a3', topics: ['a'], isPrivate: true, sentAt: 300 },
  { id: 'b4', topics: ['b'], isPrivate: true, sentAt: 400 },
];

const LIVE = { at: 50, what: 'live', subscription: 0 } as const;
const STOPPED = { at: 500, what: 'stopped', subscription: 0 } as const;
const becomes = (person: number, at: number): Entry => ({ at, what: 'person', person });
const got = (detail: string, at: number, topic = A): Entry => ({ at, what: 'message', subscription: 0, detail, topic });

/** What ann has got on a and b who was there for all of it. */
const ALL = [LIVE, got('a1', 110), got('a2', 210), got('a3', 310), got('b4', 410, B)];

function faults(entries: readonly Entry[], others: Partial<Reading> & { readonly wanted?: string } = {}): string[] {
  const { wanted = 'a and b', ...given } = others;
  const wish = wishes.all.find(({ name }) => name === wanted);
  if (!wish) throw new Error('no such wish');
  const usual = { name: 'x', wish, subscription: 0, person: ANN, isOver: false };
  return new Oracle(PUBLICATIONS, wishes).faultsOf({ ...usual, entries, ...given });
}

describe('the oracle of tabs', () => {
  it.each<[string, readonly Entry[], Parameters<typeof faults>[1]]>([
    ['has got all', ALL, {}],
    ['was stopped in the middle', [...ALL.slice(0, 3), STOPPED], { isOver: true }],
    ['became live in the middle', [{ ...LIVE, at: 250 }, ...ALL.slice(3)], {}],
    ['got one that was sent before it was live', [{ ...LIVE, at: 205 }, ...ALL.slice(2)], {}],
    ['has a new reader who may not read all', [...ALL.slice(0, 3), becomes(BOB, 250), got('b4', 410, B)], {}],
    ['got what was under way when the reader changed', [...ALL.slice(0, 3), becomes(BOB, 305), ...ALL.slice(3)], {}],
    ['is of somebody who may read little', [LIVE, got('a1', 110), got('a2', 210), got('b4', 410, B)], { person: BOB }],
    ['was refused for its bad pattern', [{ ...LIVE, what: 'state', detail: 'refused' }], { wanted: 'a bad pattern' }],
  ])('is content with a subscription that %s', (_, entries, others) => {
    expect(faults(entries, others)).toEqual([]);
  });

  it.each<[string, readonly Entry[], Parameters<typeof faults>[1], string]>([
    ['lacks one', ALL.toSpliced(2, 1), {}, 'a2 (public on a and b) did not come'],
    ['lacks the last one', ALL.slice(0, 4), {}, 'b4 (private on b) did not come'],
    [
      'lacks one, and was stopped',
      [...ALL.toSpliced(2, 1), STOPPED],
      { isOver: true },
      'a2 (public on a and b) did not come',
    ],
    ['got one twice', [...ALL, got('a2', 420)], {}, 'a2 (public on a and b) came twice'],
    [
      'got them in another order',
      ALL.toSpliced(2, 2, got('a3', 310), got('a2', 311)),
      {},
      'a2 (public on a and b) came after a3',
    ],
    [
      'got one after its end',
      [...ALL, STOPPED, got('b4', 510, B)],
      { isOver: true },
      'got a message after it was stopped',
    ],
    ['got one by a wrong topic', ALL.with(1, got('a1', 110, B)), {}, 'a1 (public on a) came as one on "b"'],
    ['got one that it did not want', ALL.slice(0, 4), { wanted: 'b' }, 'a1 (public on a) came as one on "a"'],
    [
      'got one that nobody has published',
      [...ALL, got('z', 420)],
      {},
      'z (which nobody has published) came as one on "a"',
    ],
    ['got one of somebody else', ALL, { person: BOB }, 'a3 (private on a) came to somebody who may not read it'],
    [
      'got one of its former reader',
      [...ALL.slice(0, 3), becomes(BOB, 250), ...ALL.slice(3)],
      {},
      'a3 (private on a) came to somebody who may not read it',
    ],
    [
      'lacks one since the reader has changed',
      [...ALL.slice(0, 3), becomes(BOB, 250)],
      {},
      'b4 (private on b) did not come',
    ],
    [
      'was told of a gap',
      [...ALL, { ...LIVE, at: 420, what: 'gap', detail: 'gap refused' }],
      {},
      'was told of a gap: gap refused',
    ],
    ['was refused', [...ALL, { ...LIVE, what: 'state', detail: 'refused' }], {}, 'was refused'],
    ['has a bad pattern and waits', [], { wanted: 'a bad pattern' }, 'is not refused'],
  ])('objects to a subscription that %s', (_, entries, others, fault) => {
    expect(faults(entries, others)).toContain(fault);
  });
});
