import type { Matcher } from './matcher.js';

/** How far something has been read. */
export interface Checkpoint {
  /** Empty where it is not known; where it has not begun yet, perhaps a wish like `#20`, which is no id. */
  readonly id: string;
  /** What has been read up to there, as matchers. */
  readonly keys: readonly Matcher[];
  /** Whether it is where its stream is. Otherwise it lags behind. */
  readonly isLive?: boolean;
}

/** How far a matcher has been read. */
export interface Place {
  readonly id: string;
  /** When it was first there, in milliseconds since the epoch: nothing else tells which of two ids is the older one. */
  readonly at: number;
}

/** How far matchers have been read. */
export type Places = ReadonlyMap<Matcher, Place>;

/** The most matchers that are kept, the last ones. */
const MOST = 2_000;

/** Where matchers are that have been read by now. One that has not moved keeps the time at which it came there. */
export function advance(before: Places, reached: readonly Checkpoint[], now: number): Places {
  const places = new Map<Matcher, Place>();
  const known = reached.filter(({ id }) => id !== '' && !id.startsWith('#'));
  // What two subscriptions have is as far as the one that lags behind, which comes last.
  for (const { id, keys } of [...known.filter(({ isLive }) => isLive), ...known.filter(({ isLive }) => !isLive)]) {
    for (const key of keys) {
      const place = before.get(key);
      places.set(key, place?.id === id ? place : { id, at: now });
    }
  }
  return places;
}

/** The oldest of the places of these matchers; undefined unless all are known. */
export function oldestOf(places: Places, keys: readonly Matcher[]): string | undefined {
  const found = keys.map((key) => places.get(key));
  if (!found.every((place) => place !== undefined)) return undefined;
  return found.toSorted((one, other) => one.at - other.at)[0]?.id;
}

export function toText(places: Places): string {
  return JSON.stringify([...places].slice(-MOST));
}

/** The places in a text; none if it is not one of `toText`. */
export function fromText(text: string | null): Places {
  try {
    const entries = JSON.parse(text ?? '[]') as unknown;
    return new Map(Array.isArray(entries) ? entries.filter(isEntry) : []);
  } catch {
    return new Map();
  }
}

function isEntry(entry: unknown): entry is [Matcher, Place] {
  if (!Array.isArray(entry)) return false;
  const [key, place] = entry as [unknown, Partial<Place> | null | undefined];
  return typeof key === 'string' && typeof place?.id === 'string' && typeof place.at === 'number';
}
