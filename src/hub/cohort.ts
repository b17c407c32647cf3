import type { Update } from '../journal/update.js';
import type { WireBytes } from '../sse/connection.js';
import type { Grants } from './grants.js';
import type { Interest } from './interest.js';
import type { RecentEntry } from './recent-log.js';
import type { Subscription } from './subscription.js';

/** More than this, in bytes, is not pushed to the live readers in one go: they read it like any backlog, in slices. */
const LARGEST_PUSH = 1024 ** 2;

let nextId = 1;

/**
 * The subscriptions that see the same stream: the same matchers and the same read grants. What is new is matched and
 * joined once for all of them.
 */
export class Cohort {
  /** Those that are written to when something new comes. */
  readonly live = new Set<Subscription>();
  /** All, live or behind. */
  members = 0;
  /** Short, and never used again. */
  readonly id = nextId++;
  private pending: RecentEntry[] = [];

  constructor(
    readonly key: string,
    readonly interest: Interest,
    private readonly grants: Grants,
  ) {}

  /** Whether an update belongs into this stream: matched, and if private then granted now (R3, R61, R66). */
  wants(update: Update): boolean {
    return this.interest.includes(update.topics) && this.mayRead(update);
  }

  mayRead(update: Update): boolean {
    return !update.private || this.grants.canRead(update.topics);
  }

  /** Keeps a wanted entry for the next flush. Answers whether it is the first. */
  add(entry: RecentEntry): boolean {
    return this.pending.push(entry) === 1;
  }

  /** Gives everything after `from`, the last flush, up to `head` to the live readers: one write each, of the same bytes. */
  flush(from: number, head: number): void {
    const { pending } = this;
    this.pending = [];
    if (this.live.size === 0) return;
    if (sizeOf(pending) > LARGEST_PUSH) {
      for (const subscription of this.live) subscription.fallBehind(from);
      return;
    }
    const bytes = join(pending);
    for (const subscription of this.live) subscription.push(bytes, from, head);
  }
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
