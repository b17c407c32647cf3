import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import {
  type Document,
  GRACE,
  HUB,
  interest,
  MovableJournal,
  NEW,
  pass,
  person,
  RESUMING,
} from '../../../test/support/presence-stage.js';
import { MemoryState } from '../../storage/state/memory/memory-state.js';
import type { Arrival, Departure, Entered, Lease } from '../../storage/state/shared-state.js';
import { ANONYMOUS, type Grants } from '../../access/grants.js';
import { CURRENT_DIALECT } from '../protocol/current-dialect.js';
import { dialectsOf } from '../service/dialects.js';
import { Presence } from './presence.js';
import { PresenceEvents } from './presence-events.js';

/** Milliseconds between two looks for leases that are over. */
const PULSE = 1_000;

const settle = (): Promise<void> => pass(0);

describe('Presence', () => {
  let journal: MovableJournal;
  let presence: Presence;
  const made: Presence[] = [];
  const make = ({ grace = GRACE, legacy = false, tellsAnonymous = true } = {}): Presence => {
    const one = new Presence(journal, new MemoryState(grace), {
      grace,
      events: new PresenceEvents({ hubUrl: HUB, dialects: dialectsOf({ legacy }) }),
      tellsAnonymous,
    });
    made.push(one);
    return one;
  };

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'clearImmediate'] });
    journal = new MovableJournal();
    presence = make();
  });
  afterEach(async () => {
    await Promise.all(made.splice(0).map((one) => one.close()));
    jest.useRealTimers();
  });

  async function listed(after = 0): Promise<{ subscriber: string; pattern: string; serial: number }[]> {
    const all = [];
    for await (const { subscriber, matcher, serial } of presence.list({ after })) {
      all.push({ subscriber, pattern: matcher.pattern, serial });
    }
    return all;
  }

  const subscribers = async (): Promise<string[]> => [...new Set((await listed()).map(({ subscriber }) => subscriber))];

  it('R72, R76: tells that somebody has come, and, when nobody has taken the place in time, that they have gone', async () => {
    const ref = presence.enter(interest('a', 'b'), person('ann'), NEW);
    await settle();
    expect(journal.news).toEqual(['+a', '+b']);
    expect(journal.events.every(({ private: isPrivate, type }) => isPrivate && type === 'mercure')).toBe(true);
    presence.leave(ref);
    await pass(GRACE - 1);
    expect(journal.news).toEqual(['+a', '+b']);
    const [subscriber = '', ...others] = await subscribers();
    expect(others).toEqual([]);
    await expect(presence.of(subscriber)).resolves.toHaveLength(2);
    await pass(1 + PULSE);
    expect(journal.news).toEqual(['+a', '+b', '-a', '-b']);
    expect(await listed()).toHaveLength(0);
    await expect(presence.of(subscriber)).resolves.toEqual([]);
    expect(new Set(journal.documents.map((document) => document.subscriber))).toEqual(new Set([subscriber]));
  });

  it('tells nothing of a connection that is rotated, or breaks and is resumed in time, however often', async () => {
    let ref = presence.enter(interest('a'), person('ann'), NEW);
    await settle();
    const before = await subscribers();
    for (let rotation = 0; rotation < 20; rotation += 1) {
      presence.leave(ref);
      await pass(GRACE - 1);
      ref = presence.enter(interest('a'), person('ann'), RESUMING);
      await settle();
      expect(await subscribers()).toEqual(before);
    }
    // None of the earlier absences may end the subscription later.
    await pass(10 * GRACE);
    expect(journal.news).toEqual(['+a']);
  });

  it('takes who comes without resuming for somebody new', async () => {
    presence.leave(presence.enter(interest('a'), person('ann'), NEW));
    await settle();
    const [first] = await subscribers();
    presence.enter(interest('a'), person('ann'), NEW);
    await pass(GRACE + PULSE);
    expect(journal.news).toEqual(['+a', '+a', '-a']);
    const now = await subscribers();
    expect(now).toHaveLength(1);
    expect(now).not.toContain(first);
  });

  it('R74: never gives a lease to somebody else', async () => {
    presence.leave(presence.enter(interest('a', 'b'), person('ann'), NEW));
    await settle();
    const others: Grants[] = [person('bob'), person('ann', 'them'), person('ann\n'), person('', 'us\nann'), ANONYMOUS];
    for (const other of others) presence.enter(interest('a', 'b'), other, RESUMING);
    // A subject must not be able to imitate the separator between a subject and its matchers.
    presence.leave(presence.enter(interest('x', 'y'), person('ann'), NEW));
    presence.enter(interest('y'), person('ann\nexact:x'), RESUMING);
    presence.enter(interest('a'), person('ann'), RESUMING);
    await settle();
    expect(await subscribers()).toHaveLength(1 + others.length + 3);
    presence.enter(interest('b', 'a'), person('ann'), RESUMING);
    await settle();
    expect(await subscribers()).toHaveLength(1 + others.length + 3);
  });

  it('gives each of several connections of one subject a lease of its own, and never one that is in use', async () => {
    const first = presence.enter(interest('a'), person('ann'), NEW);
    const second = presence.enter(interest('a'), person('ann'), RESUMING);
    await settle();
    const before = await subscribers();
    expect(before).toHaveLength(2);
    presence.leave(first);
    presence.leave(second);
    for (let back = 0; back < 3; back += 1) presence.enter(interest('a'), person('ann'), RESUMING);
    await settle();
    const after = await subscribers();
    expect(after).toHaveLength(3);
    expect(after).toEqual(expect.arrayContaining(before));
  });

  it('tells those without a subject apart by their address', async () => {
    presence.leave(presence.enter(interest('a'), ANONYMOUS, NEW));
    presence.enter(interest('a'), ANONYMOUS, { address: '::2', isResuming: true });
    await settle();
    expect(await subscribers()).toHaveLength(2);
    presence.enter(interest('a'), ANONYMOUS, RESUMING);
    await settle();
    expect(await subscribers()).toHaveLength(2);
  });

  it('stores a coming once, with its payload once, however many matchers it has', async () => {
    const topics = Array.from({ length: 50 }, (_, index) => `urn:${index}`);
    const payload = { text: 'x'.repeat(10_000) };
    presence.enter(interest(...topics), { ...person('ann'), payloadFor: () => payload }, NEW);
    await settle();
    expect(journal.records).toHaveLength(1);
    expect(journal.records[0]?.content.length).toBeLessThan(15_000);
    expect(journal.documents.map((document) => [document.match, document.payload])).toEqual(
      topics.map((topic) => [topic, payload]),
    );
    expect(new Set(journal.events.map(({ id }) => id)).size).toBe(50);
    expect(journal.head).toBe(50);
  });

  it('leaves those without a token out where that is asked for, and lists them neither', async () => {
    presence = make({ tellsAnonymous: false });
    expect(presence.enter(interest('a'), ANONYMOUS, NEW)).toBeUndefined();
    presence.enter(interest('b'), person('ann'), NEW);
    presence.enter(interest('c'), { ...ANONYMOUS, tokenId: 'jti' }, NEW);
    await settle();
    expect(journal.news).toEqual(['+b', '+c']);
    expect((await listed()).map(({ pattern }) => pattern)).toEqual(['b', 'c']);
  });

  it('without grace, misses who leaves at once', async () => {
    presence = make({ grace: 0 });
    presence.leave(presence.enter(interest('a'), person('ann'), NEW));
    await settle();
    expect(journal.news).toEqual(['+a', '-a']);
  });

  it('R63: tells the payload that the token has for each matcher', async () => {
    const grants = { ...person('ann'), payloadFor: (text: string) => (text === 'a' ? { name: 'Ann' } : undefined) };
    presence.enter(interest('a', 'b'), grants, NEW);
    await settle();
    expect(journal.documents.map(({ payload }) => payload)).toEqual([{ name: 'Ann' }, undefined]);
    const [subscriber = ''] = await subscribers();
    const told = await presence.of(subscriber);
    expect(told.map(({ payload }) => payload)).toEqual([{ name: 'Ann' }, undefined]);
  });

  it('tells each dialect what it can express', async () => {
    presence = make({ legacy: true });
    const all = interest('a', { type: 'urlpattern', pattern: '/:id' }, { type: 'uritemplate', pattern: '/{id}' });
    presence.enter(all, person('ann'), NEW);
    await settle();
    expect(journal.events.map(({ type, topics }) => `${type} ${topics[0]?.split('/').slice(4, -1).join('/')}`)).toEqual(
      ['mercure exact/a', 'undefined a', 'mercure urlpattern/%2F%3Aid', 'undefined %2F%7Bid%7D'],
    );
  });

  it('lists in the order of coming, page by page', async () => {
    const [first = 0] = ['a', 'b', 'c'].map((topic) => presence.enter(interest(topic), person('ann'), NEW));
    presence.leave(first);
    await settle();
    const all = await listed();
    expect(all.map(({ pattern }) => pattern)).toEqual(['a', 'b', 'c']);
    expect((await listed(all[1]?.serial)).map(({ pattern }) => pattern)).toEqual(['c']);
    expect(await listed(all[2]?.serial)).toEqual([]);
  });

  it('tells everything in order, once, when the journal comes back', async () => {
    journal.isAway = true;
    const ref = presence.enter(interest('a', 'b'), person('ann'), NEW);
    await settle();
    presence.enter(interest('c'), person('bob'), NEW);
    presence.leave(ref);
    await pass(GRACE);
    expect(journal.events).toEqual([]);
    // The journal is tried about once a second, however much waits.
    expect(journal.attempts).toBeLessThan(2 * (GRACE / 1_000 + 2));
    journal.isAway = false;
    await pass(PULSE + GRACE + PULSE);
    expect(journal.news).toEqual(['+a', '+b', '+c', '-a', '-b']);
    presence.enter(interest('d'), person('bob'), NEW);
    await settle();
    expect(journal.news.at(-1)).toBe('+d');
  });

  it('leaves nothing waiting that comes in the very moment in which the last news is told', async () => {
    presence.enter(interest('a'), person('ann'), NEW);
    for (let turn = 0; turn < 20; turn += 1) {
      presence.enter(interest(`in turn ${turn}`), person('ann'), NEW);
      for (let ticks = 0; ticks < turn; ticks += 1) await Promise.resolve();
    }
    await settle();
    expect(journal.news).toHaveLength(21);
  });

  it('on closing, tells that everybody has gone, those who were away too', async () => {
    presence.leave(presence.enter(interest('a'), person('ann'), NEW));
    presence.enter(interest('b'), person('bob'), NEW);
    await settle();
    await presence.close();
    expect(journal.news).toEqual(['+a', '+b', '-a', '-b']);
    expect(await listed()).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('closes although the journal is away', async () => {
    journal.isAway = true;
    const ref = presence.enter(interest('a'), person('ann'), NEW);
    await settle();
    await presence.close();
    presence.leave(ref);
    expect(journal.events).toEqual([]);
  });

  it('begins anew when the state does not know it any more, and nobody is missed by that', async () => {
    const state = new ForgetfulState(GRACE);
    presence = new Presence(journal, state, {
      grace: GRACE,
      events: new PresenceEvents({ hubUrl: HUB, dialects: [CURRENT_DIALECT] }),
    });
    made.push(presence);
    const ref = presence.enter(interest('a'), person('ann'), NEW);
    presence.enter(interest('b'), person('bob'), NEW);
    await settle();
    const before = await subscribers();
    state.hasForgotten = true;
    presence.enter(interest('c'), person('cid'), NEW);
    await pass(PULSE);
    presence.leave(ref);
    await pass(GRACE + 2 * PULSE);
    expect(journal.news).toEqual(['+a', '+b', '+c', '-a']);
    expect((await subscribers()).filter((one) => before.includes(one))).toEqual(before.slice(1));
  });

  it('tells each subscriber come before gone, in turn, and lists exactly those who are told to be there', async () => {
    const act = fc.record({
      who: fc.constantFrom('ann', 'bob'),
      topic: fc.constantFrom('a', 'b'),
      what: fc.constantFrom('enter', 'resume', 'leave', 'wait', 'journal away', 'journal back'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        journal = new MovableJournal();
        presence = make();
        const connected: (number | undefined)[] = [];
        for (const { who, topic, what } of acts) {
          if (what === 'enter' || what === 'resume') {
            const isResuming = what === 'resume';
            connected.push(presence.enter(interest(topic), person(who), { ...NEW, isResuming }));
          } else if (what === 'leave') {
            presence.leave(connected.shift());
          } else if (what === 'wait') await pass(GRACE / 2);
          else journal.isAway = what === 'journal away';
        }
        journal.isAway = false;
        await pass(2 * GRACE);
        expect(activeAfter(journal.documents)).toEqual((await subscribers()).toSorted());
        expect(activeAfter(journal.documents)).toHaveLength(connected.length);
      }),
    );
  });
});

/** A state that can take its process for dead, once. */
class ForgetfulState extends MemoryState {
  hasForgotten = false;

  override change(changes: readonly (Arrival | Departure)[]): Promise<readonly Entered[]> {
    // A state that processes share may answer undefined, which the type of this one does not allow.
    return this.hasForgotten ? Promise.resolve(undefined as never) : super.change(changes);
  }

  /** Releases the leases, of which none is over: other processes may have taken them up. */
  override async release(): Promise<readonly Lease[]> {
    if (!this.hasForgotten) return super.release();
    this.hasForgotten = false;
    await super.change([1, 2, 3].map((ref) => ({ kind: 'leave', ref })));
    return [];
  }
}

/** The subscribers that are active after these documents, none of which may repeat what an earlier one says. */
function activeAfter(documents: readonly Document[]): string[] {
  const active = new Set<string>();
  for (const document of documents) {
    expect(active.has(document.subscriber)).toBe(!document.active);
    if (document.active) active.add(document.subscriber);
    else active.delete(document.subscriber);
  }
  return [...active].toSorted();
}
