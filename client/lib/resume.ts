/** Where the cursor is kept over a reload; `sessionStorage` and `localStorage` fit. */
export interface ResumeStore {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** What had been received when the page was left. */
export interface Checkpoint {
  readonly id: string;
  /** What was subscribed to, as matchers. */
  readonly keys: readonly string[];
}

/** Remembers how far a page has got, so that the next one goes on from there. */
export interface Memory {
  /** The id after which a subscription to these matchers resumes, if the last page had subscribed to all of them. */
  sinceFor(keys: readonly string[]): string | undefined;
  /** There is something new to remember. */
  touch(): void;
  /** Remembers at once: the page may be about to go. */
  save(): void;
}

/** Makes the memory of a client of the hub at `url`. `read` gives what the client has received by now. */
export type Resume = (url: string, read: () => Checkpoint | undefined) => Memory;

/** Milliseconds between two writes. */
const PERIOD = 250;

/** Milliseconds after the start for which new subscriptions resume where the last page stopped. */
const WINDOW = 10_000;

/**
 * Lets a page continue after a reload where it was. If the storage fails, the page begins anew, without an error.
 * @param where `session` is this tab alone, `local` the browser; or a store of your own.
 */
export function resumeFrom(where: 'session' | 'local' | ResumeStore): Resume {
  return (url, read) => new StoredMemory(where, `herald ${url}`, read);
}

class StoredMemory implements Memory {
  readonly #store: ResumeStore | undefined;
  readonly #found: Checkpoint | undefined;
  readonly #startedAt = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    where: 'session' | 'local' | ResumeStore,
    private readonly key: string,
    private readonly read: () => Checkpoint | undefined,
  ) {
    this.#store = storeOf(where);
    this.#found = this.#load();
  }

  sinceFor(keys: readonly string[]): string | undefined {
    if (!this.#found || performance.now() - this.#startedAt > WINDOW) return undefined;
    const known = new Set(this.#found.keys);
    return keys.every((key) => known.has(key)) ? this.#found.id : undefined;
  }

  touch(): void {
    this.#timer ??= setTimeout(() => this.save(), PERIOD);
  }

  save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const checkpoint = this.read();
    if (!checkpoint || checkpoint.id === '') return;
    try {
      this.#store?.setItem(this.key, JSON.stringify(checkpoint));
    } catch {
      // The storage is full or forbidden.
    }
  }

  #load(): Checkpoint | undefined {
    try {
      const { id, keys } = JSON.parse(this.#store?.getItem(this.key) ?? 'null') as Partial<Checkpoint>;
      return typeof id === 'string' && Array.isArray(keys) ? { id, keys } : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Where storage is forbidden, merely reading `sessionStorage` or `localStorage` may throw. */
function storeOf(where: 'session' | 'local' | ResumeStore): ResumeStore | undefined {
  if (typeof where === 'object') return where;
  try {
    return where === 'session' ? sessionStorage : localStorage;
  } catch {
    return undefined;
  }
}
