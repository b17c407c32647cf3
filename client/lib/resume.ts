import type { Matcher } from './matcher.js';
import type { Part } from './part.js';
import { advance, type Checkpoint, oldestOf, type Places } from './places.js';
import type { Reader } from './share/reader.js';
import { OneShelf, ReaderShelf, type Shelf, storageOf } from './shelf.js';

/** Where places are kept over a reload; `sessionStorage` and `localStorage` fit. */
export interface ResumeStore {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/**
 * Remembers how far a page has got, so that the next one goes on from there.
 * @internal What one is made of may change.
 */
export interface Memory {
  /** Whether it keeps the places of each reader by themselves. Then it knows none before it knows the reader. */
  readonly isPerReader: boolean;
  /** Who reads from now on; undefined where that is unknown. */
  readerIs(reader: Reader | undefined): void;
  /** The id after which a subscription to these matchers resumes, if the last page had subscribed to all of them. */
  sinceFor(keys: readonly Matcher[]): string | undefined;
  /** Has what has been subscribed to before it is known who reads resume once it is. */
  wait(parts: readonly Beginning[]): void;
  /** There is something new to remember. */
  touch(): void;
  /** Remembers at once: the page may be about to go. */
  save(): void;
}

/** What may not have begun yet, and then may resume. */
type Beginning = Pick<Part, 'matchers' | 'isLive' | 'since'>;

export type { Checkpoint } from './places.js';

/** Makes the memory of a client of the hub at `url`. `read` gives what the client has received by now. */
export type Resume = (url: string, read: () => readonly Checkpoint[]) => Memory;

/** Milliseconds between two writes. */
const PERIOD = 250;

/** Milliseconds after the start for which new subscriptions resume where the last page stopped. */
const WINDOW = 10_000;

/**
 * Lets a page continue after a reload where it was. If the storage fails, the page begins anew, without an error.
 * @param where `session`: this tab alone. `local`: this tab, and for a tab that knows no place itself where this browser
 *   was last; each for the reader that it was. Or a store of your own.
 */
export function resumeFrom(where: 'session' | 'local' | ResumeStore): Resume {
  return (url, read) => {
    const prefix = `herald ${url}`;
    if (typeof where === 'object') return new PageMemory(read, new OneShelf(where, prefix));
    const tab = storageOf('sessionStorage');
    if (where === 'session') return new PageMemory(read, new OneShelf(tab, prefix));
    const browser = storageOf('localStorage');
    return new PageMemory(read, (reader) =>
      reader ? new ReaderShelf({ tab, browser, prefix, reader }) : new OneShelf(tab, prefix),
    );
  };
}

/** What one page remembers, and what it has found of the page before. */
class PageMemory implements Memory {
  readonly isPerReader: boolean;
  #shelf: Shelf | undefined;
  #found: Places = new Map();
  #places: Places = new Map();
  #startedAt = 0;
  /** What waits for the reader; undefined once it is known. */
  #waiting: Beginning[] | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly read: () => readonly Checkpoint[],
    private readonly shelf: Shelf | ((reader: Reader | undefined) => Shelf),
  ) {
    this.isPerReader = typeof shelf === 'function';
    if (typeof shelf === 'function') this.#waiting = [];
    else this.#begin(shelf);
  }

  get #isStarting(): boolean {
    return performance.now() - this.#startedAt < WINDOW;
  }

  readerIs(reader: Reader | undefined): void {
    if (typeof this.shelf !== 'function') return;
    this.save();
    this.#begin(this.shelf(reader));
    for (const part of this.#waiting ?? []) {
      const hasBegun = part.isLive || (part.since !== '' && !part.since.startsWith('#'));
      if (!hasBegun) part.since = this.sinceFor(part.matchers) ?? part.since;
    }
    this.#waiting = undefined;
  }

  wait(parts: readonly Beginning[]): void {
    this.#waiting?.push(...parts);
  }

  sinceFor(keys: readonly Matcher[]): string | undefined {
    return this.#isStarting ? oldestOf(this.#found, keys) : undefined;
  }

  touch(): void {
    this.#timer ??= setTimeout(() => this.save(), PERIOD);
  }

  save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#places = advance(this.#places, this.read(), Date.now());
    // What this page has not subscribed to yet stays where the last one was.
    const places = this.#isStarting ? new Map([...this.#found, ...this.#places]) : this.#places;
    this.#shelf?.write(places);
  }

  #begin(shelf: Shelf): void {
    this.#shelf = shelf;
    this.#found = shelf.load();
    this.#places = this.#found;
    this.#startedAt = performance.now();
  }
}
