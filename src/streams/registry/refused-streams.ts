import { networkOf } from '../../shared/network.js';
import type { StreamEnd } from './stream-end.js';
import type { OpenStream } from './stream-registry.js';

/** Milliseconds that a refused stream is held at first, and at most. */
const HOLD = { first: 1_000, longest: 16_000 };

/** Milliseconds within which a client comes back at once: sooner than any `retry:` has asked it to. */
const AT_ONCE = 1_000;

/** Networks whose refusals are remembered. */
const MAX_NETWORKS = 10_000;

/** Refused streams that may be held where nobody has said how many. */
const DEFAULT_HELD = 100;

/** What is remembered of a network that was refused. */
interface Refusal {
  /** Milliseconds that its streams are held. */
  hold: number;
  /** When a held stream of its was last let go; undefined once somebody has come since. */
  releasedAt: number | undefined;
}

/** Why a stream is held, and until when. */
interface Held {
  readonly reason: StreamEnd;
  readonly until: number;
}

/**
 * Streams that are refused. Each is told so at once and held for a while before its end, because many clients come back as
 * soon as a stream ends, whatever `retry:` says. The while doubles for a network that comes back at once, and is the first
 * one again after it has kept away. Those beyond a number are not held, so that they take no descriptors from others.
 */
export class RefusedStreams {
  /** Those that have not closed yet. */
  private readonly streams = new Map<OpenStream, Held | undefined>();
  /** In the order of their last refusal. */
  private readonly refusals = new Map<string, Refusal>();
  private held = 0;

  constructor(private readonly maxHeld = DEFAULT_HELD) {}

  /** How many have not closed yet. */
  get size(): number {
    return this.streams.size;
  }

  /** Those that have not closed yet. */
  [Symbol.iterator](): Iterator<OpenStream> {
    return this.streams.keys();
  }

  /** Tells a stream the reason for which it is refused, and holds it where there is room. */
  add(stream: OpenStream, reason: StreamEnd, now: number): void {
    if (this.held >= this.maxHeld) {
      this.streams.set(stream, undefined);
      return stream.end(reason);
    }
    this.held += 1;
    // What is not available now may be so soon, and then everybody is to come back.
    const hold = reason === 'unavailable' ? HOLD.first : this.holdFor(networkOf(stream.info.address), now);
    this.streams.set(stream, { reason, until: now + hold });
    stream.tellOfEnd(reason);
  }

  /** Ends those that were held for long enough. */
  release(now: number): void {
    for (const [stream, held] of this.streams) if (held && now >= held.until) this.end(stream, held.reason, now);
  }

  /** A stream has closed. */
  delete(stream: OpenStream): void {
    if (this.streams.get(stream)) this.held -= 1;
    this.streams.delete(stream);
  }

  private end(stream: OpenStream, reason: StreamEnd, now: number): void {
    this.streams.set(stream, undefined);
    this.held -= 1;
    const refusal = this.refusals.get(networkOf(stream.info.address));
    if (refusal) refusal.releasedAt = now;
    stream.end(reason);
  }

  private holdFor(network: string, now: number): number {
    const known = this.refusals.get(network);
    const refusal = known ?? { hold: HOLD.first, releasedAt: undefined };
    if (refusal.releasedAt !== undefined) {
      const isAtOnce = now - refusal.releasedAt < AT_ONCE;
      refusal.hold = isAtOnce ? Math.min(2 * refusal.hold, HOLD.longest) : HOLD.first;
      refusal.releasedAt = undefined;
    }
    this.remember(network, refusal);
    return refusal.hold;
  }

  private remember(network: string, refusal: Refusal): void {
    this.refusals.delete(network);
    this.refusals.set(network, refusal);
    if (this.refusals.size <= MAX_NETWORKS) return;
    const [oldest] = this.refusals.keys();
    if (oldest !== undefined) this.refusals.delete(oldest);
  }
}
