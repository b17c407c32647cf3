import type { Update } from '../../journal/update.js';
import type { WireBytes } from '../../sse/connection.js';
import type { Grants } from '../grants.js';
import type { Interest } from '../interest.js';
import type { RecentEntry } from './recent-log.js';
import type { Subscription } from './subscription.js';
import { nameTopics, topicsToName } from './topic-naming.js';

/** More than this, in bytes, is not pushed to a live reader in one go: it reads that like any backlog, in slices. */
const LARGEST_PUSH = 1024 ** 2;

let nextId = 1;

/**
 * The subscriptions that see the same stream: the same matchers, the same read grants, topics named or not. What is new is matched and
 * joined once for all of them.
 */
export class Cohort {
  /** Those that are written to when something new comes. */
  readonly live = new Set<Subscription>();
  /** All, live or behind. */
  members = 0;
  /** Short, and never used again. */
  readonly id = nextId++;
  /** What is wanted and has not been offered to every live reader yet, in order. */
  private pending: RecentEntry[] = [];
  /** Where the round that is under way has got to. */
  private round: Iterator<Subscription> | undefined;
  /** The position of the newest pending entry when the round began. */
  private roundHead = 0;
  private joined: Joint | undefined;

  constructor(
    readonly key: string,
    readonly interest: Interest,
    private readonly grants: Grants,
    /** Whether its frames name the topics. */
    private readonly namesTopics = false,
  ) {}

  /** Whether an update belongs into this stream: matched, and if private then granted now (R3, R61, R66). */
  wants(update: Update): boolean {
    return isFor(update, this.interest, this.grants);
  }

  mayRead(update: Update): boolean {
    return mayRead(update, this.grants);
  }

  /** Keeps a wanted entry for the live readers. Answers whether it is the first. */
  add(entry: RecentEntry): boolean {
    return this.pending.push(this.view(entry)) === 1;
  }

  /** A wanted entry as this cohort gets it. */
  view(entry: RecentEntry): RecentEntry {
    return this.namesTopics ? nameTopics(entry, topicsToName(entry.update, this.interest, this.grants)) : entry;
  }

  /**
   * Goes on with the round over the live readers: each gets everything after its own cursor in one write, readers with
   * the same cursor the same bytes. What is published while a round is under way goes along to those that come later in
   * it, so the busier it gets, the more a write carries.
   * @returns how many writes it made, at most `budget`, and whether everybody has been offered everything.
   */
  offer(budget: number): { readonly writes: number; readonly isDone: boolean } {
    let writes = 0;
    while (this.pending.length > 0) {
      this.round ??= this.beginRound();
      for (let next = this.round.next(); !next.done; next = this.round.next()) {
        if (this.push(next.value)) writes += 1;
        if (writes >= budget) return { writes, isDone: false };
      }
      this.endRound();
    }
    return { writes, isDone: true };
  }

  /**
   * Breaks the round off: everybody reads on from the log.
   * @param upTo the position up to which the live readers have been offered everything but what is pending.
   */
  disperse(upTo: number): void {
    for (const subscription of this.live) {
      const next = this.pending.find(({ position }) => position > subscription.cursor)?.position ?? Infinity;
      subscription.cursor = Math.max(subscription.cursor, Math.min(upTo, next - 1));
      subscription.fallBehind();
    }
    this.pending = [];
    this.round = undefined;
    this.joined = undefined;
  }

  private beginRound(): Iterator<Subscription> {
    this.roundHead = this.pending.at(-1)?.position ?? 0;
    return this.live.values();
  }

  /** Every live reader has been offered what was there when the round began. */
  private endRound(): void {
    this.round = undefined;
    this.pending = this.pending.filter(({ position }) => position > this.roundHead);
    this.joined = undefined;
  }

  private push(subscription: Subscription): boolean {
    const joint = this.joinAfter(subscription.cursor);
    if (!joint) return false;
    // Nothing between its cursor and the first of these was wanted: it has been offered all of it.
    subscription.cursor = joint.after;
    if (joint.bytes) subscription.push(joint.bytes, joint.upTo);
    else subscription.fallBehind();
    return true;
  }

  /** What is pending after a cursor, or nothing. Those that come by one after the other mostly want the same. */
  private joinAfter(cursor: number): Joint | undefined {
    const { pending, joined } = this;
    const upTo = pending.at(-1)?.position ?? 0;
    if (cursor >= upTo) return undefined;
    if (joined?.upTo === upTo && cursor >= joined.before && cursor <= joined.after) return joined;
    this.joined = joinFrom(
      pending,
      pending.findIndex(({ position }) => position > cursor),
      upTo,
    );
    return this.joined;
  }
}

/** Whether an update is for somebody who asked for this, and holds these grants. */
export function isFor(update: Update, interest: Interest, grants: Grants): boolean {
  return interest.includes(update.topics) && mayRead(update, grants);
}

function mayRead(update: Update, grants: Grants): boolean {
  return !update.private || grants.canRead(update.topics);
}

function joinFrom(pending: readonly RecentEntry[], first: number, upTo: number): Joint {
  const entries = pending.slice(first);
  return {
    before: pending[first - 1]?.position ?? 0,
    after: (entries[0]?.position ?? upTo) - 1,
    upTo,
    bytes: sizeOf(entries) > LARGEST_PUSH ? undefined : join(entries),
  };
}

/** Pending entries joined, for every cursor from `before` to `after`. */
interface Joint {
  readonly before: number;
  readonly after: number;
  readonly upTo: number;
  /** Nothing, when it is too much for one write. */
  readonly bytes: WireBytes | undefined;
}

function sizeOf(entries: readonly RecentEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes.chunked.length, 0);
}

/** Several entries as the bytes of one write. */
export function join(entries: readonly RecentEntry[]): WireBytes {
  const [only] = entries;
  if (only && entries.length === 1) return only.bytes;
  return new Joined(entries);
}

/** Most readers use one format: the other is not made before somebody asks for it. */
class Joined implements WireBytes {
  private plainBytes: Buffer | undefined;
  private chunkedBytes: Buffer | undefined;

  constructor(private readonly entries: readonly RecentEntry[]) {}

  get plain(): Buffer {
    return (this.plainBytes ??= Buffer.concat(this.entries.map(({ bytes }) => bytes.plain)));
  }

  get chunked(): Buffer {
    return (this.chunkedBytes ??= Buffer.concat(this.entries.map(({ bytes }) => bytes.chunked)));
  }
}
