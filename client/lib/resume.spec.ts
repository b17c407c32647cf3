import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Checkpoint } from './places.js';
import { type Memory, resumeFrom } from './resume.js';
import type { Reader } from './share/reader.js';

const HUB = 'https://hub.example/.well-known/mercure';
const ANN: Reader = { subject: 'ann', group: 'ann.a' };
const ANN_WITH_OTHER_GRANTS: Reader = { subject: 'ann', group: 'ann.b' };
const BOB: Reader = { subject: 'bob', group: 'bob.a' };

/** A `Storage` in memory, which a tab that is duplicated has a copy of. */
class FakeStorage {
  constructor(private readonly items = new Map<string, string>()) {}

  get length(): number {
    return this.items.size;
  }

  key(index: number): string | null {
    return [...this.items.keys()][index] ?? null;
  }

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }

  removeItem(key: string): void {
    this.items.delete(key);
  }

  copy(): FakeStorage {
    return new FakeStorage(new Map(this.items));
  }
}

function place(id: string, ...keys: string[]): Checkpoint {
  return { id, keys };
}

describe('places that are kept in the browser', () => {
  let browser: FakeStorage;

  beforeEach(() => {
    jest.useFakeTimers();
    browser = new FakeStorage();
  });

  afterEach(() => {
    jest.useRealTimers();
    Reflect.deleteProperty(globalThis, 'sessionStorage');
    Reflect.deleteProperty(globalThis, 'localStorage');
  });

  /** A page in the tab that this storage is of. */
  class Page {
    reached: readonly Checkpoint[] = [];
    readonly memory: Memory;

    constructor(tab: FakeStorage, reader: Reader | undefined = ANN) {
      Object.assign(globalThis, { sessionStorage: tab, localStorage: browser });
      this.memory = resumeFrom('local')(HUB, () => this.reached);
      this.memory.readerIs(reader);
    }

    /** Has got as far as this. */
    is(...reached: Checkpoint[]): this {
      jest.advanceTimersByTime(1_000);
      this.reached = reached;
      this.memory.save();
      return this;
    }

    at(...keys: string[]): string | undefined {
      return this.memory.sinceFor(keys);
    }
  }

  it('are of each tab: none moves another one’s', () => {
    const [first, second] = [new FakeStorage(), new FakeStorage()];
    const [a, b] = [new Page(first), new Page(second)];
    a.is(place('1', 'a', 'both'));
    b.is(place('2', 'b', 'both'));
    a.is(place('3', 'a', 'both'));

    expect(new Page(first).at('both')).toBe('3');
    const again = new Page(second);
    expect(['a', 'b', 'both'].map((key) => again.at(key))).toEqual(['3', '2', '2']);
  });

  it('are the last ones of any tab, for one that has none', () => {
    new Page(new FakeStorage()).is(place('1', 'a', 'b'));
    new Page(new FakeStorage()).is(place('2', 'b', 'c'));
    const fresh = new Page(new FakeStorage());

    expect(['a', 'b', 'c', 'd'].map((key) => fresh.at(key))).toEqual(['1', '2', '2', undefined]);
  });

  it('are the oldest for what several are needed for, and none if one is unknown', () => {
    const tab = new FakeStorage();
    new Page(tab).is(place('1', 'a')).is(place('2', 'b'), place('1', 'a'));
    const page = new Page(tab);

    expect(page.at('b', 'a')).toBe('1');
    expect(page.at('a', 'c')).toBeUndefined();
  });

  it('are those of a tab that was duplicated too, and then each one’s own', () => {
    const original = new FakeStorage();
    const page = new Page(original).is(place('1', 'a'));
    const copy = original.copy();
    const duplicate = new Page(copy);
    expect(duplicate.at('a')).toBe('1');
    duplicate.is(place('5', 'a'));
    page.is(place('2', 'a'));

    expect(new Page(original).at('a')).toBe('2');
    expect(new Page(copy).at('a')).toBe('5');
  });

  it('are those of both where two clients are in a page', () => {
    const tab = new FakeStorage();
    for (const round of ['1', '2']) {
      const [one, other] = [new Page(tab), new Page(tab)];
      if (round === '2') expect([one.at('a'), one.at('b'), other.at('b')]).toEqual(['1 a', '1 b', '1 b']);
      one.is(place(`${round} a`, 'a'));
      other.is(place(`${round} b`, 'b'));
      jest.advanceTimersByTime(10_000);
      one.is(place(`${round} a`, 'a'));
      other.is(place(`${round} b`, 'b'));
    }
    expect([new Page(tab).at('a'), new Page(tab).at('b')]).toEqual(['2 a', '2 b']);
  });

  it('stay where they are while a page has not subscribed to them yet, for ten seconds', () => {
    const tab = new FakeStorage();
    new Page(tab).is(place('1', 'a', 'b'));
    new Page(tab).is(place('2', 'a'));
    const page = new Page(tab);
    expect(page.at('b')).toBe('1');
    jest.advanceTimersByTime(10_000);
    expect(page.at('b')).toBeUndefined();
    page.is(place('3', 'a'));

    expect(new Page(tab).at('b')).toBeUndefined();
    expect(new Page(tab).at('a')).toBe('3');
  });

  it('are never another person’s', () => {
    const tab = new FakeStorage();
    new Page(tab, ANN).is(place('1', 'a'));
    const bob = new Page(tab, BOB);
    expect(bob.at('a')).toBeUndefined();
    bob.is(place('2', 'a'));

    expect(new Page(tab, ANN).at('a')).toBe('1');
    expect(new Page(new FakeStorage(), ANN).at('a')).toBe('1');
  });

  it('change with the person in one page', () => {
    const tab = new FakeStorage();
    const page = new Page(tab, ANN).is(place('1', 'a'));
    page.memory.readerIs(BOB);
    page.is(place('2', 'a'));

    expect(new Page(tab, ANN).at('a')).toBe('1');
    expect(new Page(tab, BOB).at('a')).toBe('2');
  });

  it('are those with other grants where there are none with the same', () => {
    const tab = new FakeStorage();
    new Page(tab, ANN).is(place('1', 'a', 'b'));
    new Page(tab, ANN_WITH_OTHER_GRANTS).is(place('2', 'b'));

    const page = new Page(tab, ANN_WITH_OTHER_GRANTS);
    expect([page.at('a'), page.at('b')]).toEqual(['1', '2']);
    expect(new Page(tab, ANN).at('b')).toBe('1');
  });

  it('are this tab’s alone where it is unknown who reads', () => {
    const tab = new FakeStorage();
    const memory = (store: FakeStorage): Memory => new Page(store).is(place('1', 'a')).memory;
    const page = new Page(tab);
    page.memory.readerIs(undefined);
    page.is(place('7', 'a'));
    memory(new FakeStorage());
    const again = new Page(tab);
    again.memory.readerIs(undefined);
    expect(again.at('a')).toBe('7');
    const other = new Page(new FakeStorage());
    other.memory.readerIs(undefined);

    expect(other.at('a')).toBeUndefined();
  });

  it('are bounded: pages, their age, and the matchers of each', () => {
    const tab = new FakeStorage();
    for (let reload = 0; reload < 40; reload += 1) new Page(tab).is(place(String(reload), 'a'));
    expect(browser.length).toBe(1);
    for (let count = 0; count < 40; count += 1) new Page(new FakeStorage()).is(place('x', `of ${count}`));
    expect(browser.length).toBeLessThanOrEqual(31);
    jest.advanceTimersByTime(31 * 24 * 3_600_000);
    const matchers = Array.from({ length: 2_100 }, (_, index) => String(index));
    new Page(tab).is(place('z', ...matchers));

    expect(browser.length).toBe(1);
    expect([new Page(tab).at('2099'), new Page(tab).at('0')]).toEqual(['z', undefined]);
  });

  it('are none where storage is forbidden, full or damaged', () => {
    const forbidden = {
      get: () => {
        throw new DOMException('forbidden', 'SecurityError');
      },
    };
    for (const name of ['sessionStorage', 'localStorage']) {
      Object.defineProperty(globalThis, name, { ...forbidden, configurable: true });
    }
    const memory = resumeFrom('local')(HUB, () => [place('1', 'a')]);
    memory.readerIs(ANN);
    memory.save();
    expect(memory.sinceFor(['a'])).toBeUndefined();
    for (const name of ['sessionStorage', 'localStorage']) Reflect.deleteProperty(globalThis, name);

    const tab = new FakeStorage();
    tab.setItem(`herald ${HUB} ann.a y`, '[["a"],["b",{"id":2,"at":3}],null]');
    browser.setItem(`herald ${HUB} ann.a x`, 'no JSON');
    expect(new Page(tab).at('b')).toBeUndefined();
    tab.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    new Page(tab).is(place('1', 'a'));
    expect(new Page(new FakeStorage()).at('a')).toBe('1');
  });
});
