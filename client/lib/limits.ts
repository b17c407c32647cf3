import type { Matcher } from './matcher.js';
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

  /** The hub takes no more than this of one kind of matcher: of the kind of which more were asked for. */
  learn(asked: Bundle, { count, bytes }: Room): void {
    const { topics } = new Load(asked);
    if (topics.count > count || topics.bytes > bytes) this.#topics = { count, bytes };
    else this.#patterns = { count, bytes };
  }

  /** Whether one stream can carry all of these. */
  take(matchers: Iterable<Matcher>): boolean {
    return this.hold(new Load(matchers));
  }

  /** Whether a stream with this load can carry these as well. */
  hold(load: Load, more: Bundle = []): boolean {
    const extra = new Load(more.filter((one) => !load.matchers.has(one)));
    const isShort = this.#ways.canQuery || load.length + extra.length <= LONGEST_URL;
    return (
      isShort && fits(load.topics, extra.topics, this.#topics) && fits(load.patterns, extra.patterns, this.#patterns)
    );
  }
}

/** What a stream carries, added up as it grows: a page may have thousands of topics. */
export class Load {
  readonly matchers = new Set<Matcher>();
  readonly topics = { count: 0, bytes: 0 };
  readonly patterns = { count: 0, bytes: 0 };
  /** Characters of the query. */
  length = 0;

  constructor(matchers: Iterable<Matcher>) {
    this.add(matchers);
  }

  add(matchers: Iterable<Matcher>): void {
    for (const matcher of matchers) {
      if (this.matchers.has(matcher)) continue;
      this.matchers.add(matcher);
      const kind = matcher.startsWith('match=') ? this.topics : this.patterns;
      kind.count += 1;
      kind.bytes += ENCODER.encode(textOf(matcher)).length;
      this.length += matcher.length + 1;
    }
  }
}

const ENCODER = new TextEncoder();

/** The topic or pattern of a matcher. */
function textOf(matcher: Matcher): string {
  return decodeURIComponent(matcher.slice(matcher.indexOf('=') + 1));
}

function fits(one: Room, other: Room, most: Room): boolean {
  return one.count + other.count <= most.count && one.bytes + other.bytes <= most.bytes;
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
