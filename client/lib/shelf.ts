import type { Matcher } from './matcher.js';
import { fromText, type Place, type Places, toText } from './places.js';
import type { ResumeStore } from './resume.js';
import type { Reader } from './share/reader.js';

/** Where pages leave how far they have read. Whatever fails there is as if it were empty. */
export interface Shelf {
  load(): Places;
  write(places: Places): void;
}

/** One page after the other has it. */
export class OneShelf implements Shelf {
  constructor(
    private readonly store: ResumeStore | undefined,
    private readonly key: string,
  ) {}

  load(): Places {
    return attempt(() => fromText(this.store?.getItem(this.key) ?? null)) ?? new Map<Matcher, Place>();
  }

  write(places: Places): void {
    attempt(() => this.store?.setItem(this.key, toText(places)));
  }
}

export interface ReaderShelfOptions {
  readonly tab: Storage | undefined;
  readonly browser: Storage | undefined;
  /** Of all keys, whoever the reader is. */
  readonly prefix: string;
  readonly reader: Reader;
}

/** Pages that are kept, and for how many milliseconds. */
const KEPT = { pages: 30, age: 30 * 24 * 3_600_000 };

/**
 * One reader's places in this tab, and those of other tabs for one that has none. A page writes them under a name of its
 * own, for its tab and for the browser: no page ever moves the place of another, and none has to know which of two ids
 * is the later one.
 */
export class ReaderShelf implements Shelf {
  readonly #options: ReaderShelfOptions;
  readonly #group: string;
  readonly #key: string;
  /** The keys of the pages that were in this tab before, until what they have left is written anew. */
  #before: readonly string[] = [];

  constructor(options: ReaderShelfOptions) {
    const page = crypto.getRandomValues(new Uint32Array(2)).join('-');
    this.#options = options;
    this.#group = `${options.prefix} ${options.reader.group} `;
    this.#key = this.#group + page;
  }

  /** This tab's own places come before those of others, and those with the same grants before those with other ones. */
  load(): Places {
    const { tab, browser, prefix, reader } = this.#options;
    const anyGrants = `${prefix} ${reader.subject}.`;
    const layers = [browser, tab].flatMap((store) => [newest(store, anyGrants), newest(store, this.#group)]);
    this.#before = keysOf(tab, this.#group);
    for (const store of [tab, browser]) tidy(store, `${prefix} `);
    return new Map(layers.flatMap((places) => Array.from(places)));
  }

  write(places: Places): void {
    const text = toText(places);
    for (const store of [this.#options.tab, this.#options.browser]) {
      attempt(() => {
        store?.setItem(this.#key, text);
        for (const key of this.#before) store?.removeItem(key);
      });
    }
    this.#before = [];
  }
}

/** Merely reading `sessionStorage` or `localStorage` may throw, where storage is forbidden. */
export function storageOf(name: 'sessionStorage' | 'localStorage'): Storage | undefined {
  return attempt(() => globalThis[name]);
}

/** Of all pages whose keys begin so, the place that each matcher has reached last. */
function newest(store: Storage | undefined, prefix: string): Places {
  const places = new Map<Matcher, Place>();
  for (const key of keysOf(store, prefix)) {
    for (const [matcher, place] of fromText(store?.getItem(key) ?? null)) {
      if (place.at >= (places.get(matcher)?.at ?? 0)) places.set(matcher, place);
    }
  }
  return places;
}

/** Removes what nobody will ask for any more. */
function tidy(store: Storage | undefined, prefix: string): void {
  const all = keysOf(store, prefix).map((key) => {
    const places = fromText(store?.getItem(key) ?? null);
    return { key, at: Math.max(...Array.from(places.values(), ({ at }) => at)) };
  });
  const pages = all.toSorted((one, other) => other.at - one.at);
  const oldest = Date.now() - KEPT.age;
  for (const [index, { key, at }] of pages.entries()) {
    if (index >= KEPT.pages || at < oldest) attempt(() => store?.removeItem(key));
  }
}

function keysOf(store: Storage | undefined, prefix: string): string[] {
  const keys = Array.from({ length: store?.length ?? 0 }, (_, index) => store?.key(index) ?? '');
  return keys.filter((key) => key.startsWith(prefix));
}

function attempt<Result>(act: () => Result): Result | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
