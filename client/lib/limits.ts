import { isTopic, type Matcher, textOf } from './matcher.js';
import type { Ways } from './stream.js';
import type { Bundle, Room } from './wire.js';

const UNKNOWN: Room = { count: Infinity, bytes: Infinity };

/** The longest query that goes into a URL where `QUERY` does not work: proxies take 8 KB for a request's first line. */
const LONGEST_URL = 7_000;

/**
 * What the hub, and whatever is in front of it, takes on one stream. Nothing is known at first: it is learnt from
 * refusals.
 */
export class Limits {
  readonly #ways: Ways;
  #topics = UNKNOWN;
  #patterns = UNKNOWN;

  constructor(ways: Ways) {
    this.#ways = ways;
  }

  /** The hub takes no more than this of the kind of matcher of which it was asked for most. */
  learn(asked: Bundle, { count, bytes }: Room): void {
    const topics = asked.filter(isTopic);
    const isOver = (matchers: Bundle): boolean => matchers.length > count || bytesOf(matchers) > bytes;
    if (isOver(topics)) this.#topics = { count, bytes };
    else this.#patterns = { count, bytes };
  }

  /** Whether one stream can carry all of these. */
  take(matchers: Iterable<Matcher>): boolean {
    const all = [...matchers];
    const topics = all.filter(isTopic);
    const patterns = all.filter((one) => !isTopic(one));
    const isShort = this.#ways.canQuery || all.join('&').length <= LONGEST_URL;
    return isShort && fits(topics, this.#topics) && fits(patterns, this.#patterns);
  }
}

function fits(matchers: Bundle, { count, bytes }: Room): boolean {
  return matchers.length <= count && (bytes === Infinity || bytesOf(matchers) <= bytes);
}

function bytesOf(matchers: Bundle): number {
  return matchers.reduce((sum, one) => sum + new TextEncoder().encode(textOf(one)).length, 0);
}

/**
 * How many streams a page may have open with the hub at a time. Over HTTP/1.1 a browser opens six connections to a host,
 * and the page needs some of them for itself.
 */
export function streamsAllowed(hub: string): number {
  // Outside of a browser there is no such limit.
  if (!('location' in globalThis)) return Infinity;
  const { origin, protocol } = new URL(hub);
  // Browsers speak HTTP/2 over TLS alone.
  if (protocol === 'http:') return FEW;
  const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
  return entries.some((entry) => entry.name.startsWith(`${origin}/`) && isMultiplexed(entry)) ? Infinity : FEW;
}

const FEW = 2;

function isMultiplexed(entry: PerformanceEntry): boolean {
  return /^h[23]/.test((entry as PerformanceResourceTiming).nextHopProtocol ?? '');
}
