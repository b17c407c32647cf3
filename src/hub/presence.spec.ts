import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { JournalUnavailableError } from '../journal/journal.js';
import { MemoryJournal } from '../journal/memory-journal.js';
import type { Update } from '../journal/update.js';
import { ANONYMOUS, type Grants } from './grants.js';
import { Interest } from './interest.js';
import type { Matcher } from './matcher.js';
import { type Lease, Presence } from './presence.js';

const HUB = new URL('https://hub.example/.well-known/mercure');
const GRACE = 5_000;

/** A journal that can be away, as a remote one can. */
class MovableJournal extends MemoryJournal {
  isAway = false;
  attempts = 0;
  readonly updates: Update[] = [];

  constructor() {
    super({ events: 1_000_000, bytes: 1e9, age: 1e9 });
  }

  override append(update: Update) {
    this.attempts += 1;
    if (this.isAway) return Promise.reject(new JournalUnavailableError('away'));
    this.updates.push(update);
    return super.append(update);
  }

  /** Who came (+) and went (-), by what they subscribed to. */
  get news(): string[] {
    return this.documents.map(({ active, match, topic }) => `${active ? '+' : '-'}${match ?? topic}`);
  }

  get documents(): Document[] {
    return this.updates.map(({ data }) => JSON.parse(data) as Document);
  }
}

interface Document {
  readonly active: boolean;
  readonly match?: string;
  readonly topic?: string;
  readonly subscriber: string;
  readonly payload?: object;
}

const interest = (...matchers: (string | Matcher)[]): Interest =>
  new Interest(
    matchers.map((one) => (typeof one === 'string' ? { type: 'exact', pattern: one } : one)),
    HUB,
  );

const person = (subject: string, issuer = 'us'): Grants => ({ ...ANONYMOUS, subject, issuer, readKey: subject });

const NEW = { address: '::1', isResuming: false };
const RESUMING = { address: '::1', isResuming: true };

/** Everything that is under way with the memory journal is done. */
const settle = (): Promise<void> => jest.advanceTimersByTimeAsync(0);

describe('Presence', () => {
  let journal: MovableJournal;
  let presence: Presence;
  const make = (options: { grace?: number; legacy?: boolean } = {}): Presence =>
    new Presence(journal, { grace: GRACE, hubUrl: HUB, legacy: false, ...options });

  beforeEach(() => {
    jest.useFakeTimers();
    journal = new MovableJournal();
    presence = make();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('R72, R76: tells that somebody has come, and, when nobody has taken the place in time, that they have gone', async () => {
    const lease = presence.enter(interest('a', 'b'), person('ann'), NEW);
    await settle();
    expect(journal.news).toEqual(['+a', '+b']);
    expect(journal.updates.every(({ private: isPrivate, type }) => isPrivate && type === 'mercure')).toBe(true);
    presence.leave(lease);
    await jest.advanceTimersByTimeAsync(GRACE - 1);
    expect(journal.news).toEqual(['+a', '+b']);
    expect([...presence.list()]).toHaveLength(2);
    await jest.advanceTimersByTimeAsync(1);
    expect(journal.news).toEqual(['+a', '+b', '-a', '-b']);
    expect([...presence.list()]).toHaveLength(0);
    expect(presence.of(lease.subscriber)).toEqual([]);
    expect(new Set(journal.documents.map(({ subscriber }) => subscriber)).size).toBe(1);
  });

  it('tells nothing of a connection that is rotated, or breaks and is resumed in time, however often', async () => {
    let lease = presence.enter(interest('a'), person('ann'), NEW);
    const { subscriber } = lease;
    for (let rotation = 0; rotation < 20; rotation += 1) {
      presence.leave(lease);
      await jest.advanceTimersByTimeAsync(GRACE - 1);
      lease = presence.enter(interest('a'), person('ann'), RESUMING);
      expect(lease.subscriber).toBe(subscriber);
    }
    // The timers of the absences are over as well.
    await jest.advanceTimersByTimeAsync(10 * GRACE);
    expect(journal.news).toEqual(['+a']);
  });

  it('takes who comes without resuming for somebody new', async () => {
    const first = presence.enter(interest('a'), person('ann'), NEW);
    presence.leave(first);
    const second = presence.enter(interest('a'), person('ann'), NEW);
    expect(second.subscriber).not.toBe(first.subscriber);
    await jest.advanceTimersByTimeAsync(GRACE);
    expect(journal.news).toEqual(['+a', '+a', '-a']);
    expect([...presence.list()].map(({ subscriber }) => subscriber)).toEqual([second.subscriber]);
  });

  it('R74: never gives a lease to somebody else', () => {
    const first = presence.enter(interest('a', 'b'), person('ann'), NEW);
    presence.leave(first);
    const others: Grants[] = [person('bob'), person('ann', 'them'), person('ann\n'), person('', 'us\nann'), ANONYMOUS];
    for (const other of others) {
      expect(presence.enter(interest('a', 'b'), other, RESUMING).subscriber).not.toBe(first.subscriber);
    }
    // What separates a subject from its matchers must not be something that a subject can hold.
    const tricky = presence.enter(interest('x', 'y'), person('ann'), NEW);
    presence.leave(tricky);
    expect(presence.enter(interest('y'), person('ann\nexact:x'), RESUMING).subscriber).not.toBe(tricky.subscriber);
    expect(presence.enter(interest('a'), person('ann'), RESUMING).subscriber).not.toBe(first.subscriber);
    expect(presence.enter(interest('b', 'a'), person('ann'), RESUMING).subscriber).toBe(first.subscriber);
  });

  it('gives each of several connections of one subject a lease of its own, and never one that is in use', () => {
    const first = presence.enter(interest('a'), person('ann'), NEW);
    const second = presence.enter(interest('a'), person('ann'), RESUMING);
    expect(second.subscriber).not.toBe(first.subscriber);
    presence.leave(first);
    presence.leave(second);
    const back = [1, 2, 3].map(() => presence.enter(interest('a'), person('ann'), RESUMING).subscriber);
    expect(new Set(back).size).toBe(3);
    expect(new Set(back)).toContain(first.subscriber);
    expect(new Set(back)).toContain(second.subscriber);
  });

  it('tells those without a subject apart by their address', () => {
    const first = presence.enter(interest('a'), ANONYMOUS, NEW);
    presence.leave(first);
    const elsewhere = presence.enter(interest('a'), ANONYMOUS, { address: '::2', isResuming: true });
    expect(elsewhere.subscriber).not.toBe(first.subscriber);
    expect(presence.enter(interest('a'), ANONYMOUS, RESUMING).subscriber).toBe(first.subscriber);
  });

  it('without grace, misses who leaves at once', async () => {
    presence = make({ grace: 0 });
    presence.leave(presence.enter(interest('a'), person('ann'), NEW));
    await settle();
    expect(journal.news).toEqual(['+a', '-a']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('R63: tells the payload that the token has for each matcher', async () => {
    const grants = { ...person('ann'), payloadFor: (text: string) => (text === 'a' ? { name: 'Ann' } : undefined) };
    const { subscriber } = presence.enter(interest('a', 'b'), grants, NEW);
    await settle();
    expect(journal.documents.map(({ payload }) => payload)).toEqual([{ name: 'Ann' }, undefined]);
    expect(presence.of(subscriber).map(({ payload }) => payload)).toEqual([{ name: 'Ann' }, undefined]);
  });

  it('tells each dialect what it can express', async () => {
    presence = make({ legacy: true });
    const all = interest('a', { type: 'urlpattern', pattern: '/:id' }, { type: 'uritemplate', pattern: '/{id}' });
    presence.enter(all, person('ann'), NEW);
    await settle();
    expect(
      journal.updates.map(({ type, topics }) => `${type} ${topics[0]?.split('/').slice(4, -1).join('/')}`),
    ).toEqual(['mercure exact/a', 'undefined a', 'mercure urlpattern/%2F%3Aid', 'undefined %2F%7Bid%7D']);
  });

  it('lists in the order of coming, page by page', () => {
    const leases = ['a', 'b', 'c'].map((topic) => presence.enter(interest(topic), person('ann'), NEW));
    presence.leave(leases[0] as Lease);
    const after = (serial: number): string[] => [...presence.list(serial)].map(({ matcher }) => matcher.pattern);
    expect(after(0)).toEqual(['a', 'b', 'c']);
    expect(after((leases[1] as Lease).serial)).toEqual(['c']);
    expect(after((leases[2] as Lease).serial)).toEqual([]);
  });

  it('tells everything in order, once, when the journal comes back', async () => {
    journal.isAway = true;
    const lease = presence.enter(interest('a', 'b'), person('ann'), NEW);
    await settle();
    presence.enter(interest('c'), person('bob'), NEW);
    presence.leave(lease);
    await jest.advanceTimersByTimeAsync(GRACE);
    expect(journal.updates).toEqual([]);
    // About once a second, however much waits.
    expect(journal.attempts).toBeLessThan(GRACE / 1_000 + 2);
    journal.isAway = false;
    await jest.advanceTimersByTimeAsync(1_000);
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

  it('on closing, tells that everybody has gone, those who were away too, and holds no timer', async () => {
    presence.leave(presence.enter(interest('a'), person('ann'), NEW));
    presence.enter(interest('b'), person('bob'), NEW);
    await presence.close();
    expect(journal.news).toEqual(['+a', '+b', '-a', '-b']);
    expect(jest.getTimerCount()).toBe(0);
    expect([...presence.list()]).toEqual([]);
  });

  it('closes although the journal is away', async () => {
    journal.isAway = true;
    const lease = presence.enter(interest('a'), person('ann'), NEW);
    const closed = presence.close();
    await jest.advanceTimersByTimeAsync(1_000);
    await closed;
    presence.leave(lease);
    expect(jest.getTimerCount()).toBe(0);
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
        const connected: Lease[] = [];
        for (const { who, topic, what } of acts) {
          if (what === 'enter' || what === 'resume') {
            const isResuming = what === 'resume';
            connected.push(enterAnew(presence, connected, { who, topic, isResuming }));
          } else if (what === 'leave') {
            const lease = connected.shift();
            if (lease) presence.leave(lease);
          } else if (what === 'wait') await jest.advanceTimersByTimeAsync(GRACE / 2);
          else journal.isAway = what === 'journal away';
        }
        journal.isAway = false;
        await jest.advanceTimersByTimeAsync(2 * GRACE);
        expect(activeAfter(journal.documents)).toEqual(
          [...presence.list()].map(({ subscriber }) => subscriber).toSorted(),
        );
        expect(activeAfter(journal.documents)).toEqual(connected.map(({ subscriber }) => subscriber).toSorted());
      }),
    );
  });
});

/** Somebody comes, and gets a lease that is theirs and nobody's at the moment. */
function enterAnew(
  presence: Presence,
  connected: readonly Lease[],
  { who, topic, isResuming }: { who: string; topic: string; isResuming: boolean },
): Lease {
  const lease = presence.enter(interest(topic), person(who), { ...NEW, isResuming });
  expect(connected).not.toContain(lease);
  expect([lease.grants.subject, lease.interest.key]).toEqual([who, interest(topic).key]);
  return lease;
}

/** Who is there after this news, none of which may say again what was said before. */
function activeAfter(documents: readonly Document[]): string[] {
  const active = new Set<string>();
  for (const document of documents) {
    expect(active.has(document.subscriber)).toBe(!document.active);
    if (document.active) active.add(document.subscriber);
    else active.delete(document.subscriber);
  }
  return [...active].toSorted();
}
