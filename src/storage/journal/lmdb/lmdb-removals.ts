import { guardListener } from '../guard-listener.js';
import type { RemovalListener } from '../journal.js';
import type { Update } from '../update.js';
import type { LmdbIndex } from './index/lmdb-index.js';
import type { LmdbEnvironment } from './lmdb-environment.js';
import type { LmdbStore } from './lmdb-store.js';
import type { Takeout } from './lmdb-table.js';

/** What one commit takes out at most: updates, and topics of these. */
const PART = { updates: 64, topics: 4_096 };

interface Pending {
  readonly positions: readonly number[];
  /** How many of them are done. */
  done: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Updates that are to be taken out of the log. Each commit takes some of them, so that others need not wait for all. */
export class LmdbRemovals {
  private readonly waiting: Pending[] = [];
  private readonly listeners = new Set<RemovalListener>();

  constructor(
    private readonly environment: LmdbEnvironment,
    private readonly updates: LmdbStore<Update>,
    private readonly index: LmdbIndex,
  ) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** Resolves once the updates at these positions have been taken out by {@link next}. */
  add(positions: readonly number[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ positions, done: 0, resolve, reject });
    });
  }

  /** See `Journal.onRemoved`. */
  onRemoved(listener: RemovalListener): () => void {
    const guarded = guardListener(listener);
    this.listeners.add(guarded);
    return () => this.listeners.delete(guarded);
  }

  /** Takes the next updates out. @throws {JournalUnavailableError} when that has failed. */
  async next(): Promise<void> {
    const [first] = this.waiting;
    if (!first) return;
    const { takeOut, end } = this.partOf(first);
    if (takeOut.size > 0) await this.store([...takeOut.values()]);
    first.done = end;
    if (end < first.positions.length) return;
    this.waiting.shift();
    for (const listener of this.listeners) listener(first.positions);
    first.resolve();
  }

  /** Rejects everything that waits. */
  fail(error: unknown): void {
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }

  clear(): void {
    this.listeners.clear();
  }

  private async store(takeOut: readonly (Takeout & { readonly content: Update })[]): Promise<void> {
    const removed = takeOut.map(({ removal, content }) => ({ position: removal.position, topics: content.topics }));
    const topics = { edits: this.index.changeFor(removed), isOptional: false };
    await this.environment.write({ updates: { append: [], remove: [], takeOut }, topics });
    this.updates.takenOut(takeOut.map(({ removal, cost }) => ({ position: removal.position, cost })));
    this.index.removed(removed);
  }

  private partOf({ positions, done }: Pending): {
    readonly takeOut: ReadonlyMap<number, Takeout & { readonly content: Update }>;
    readonly end: number;
  } {
    const takeOut = new Map<number, Takeout & { readonly content: Update }>();
    let [end, topics] = [done, 0];
    for (; end < positions.length && takeOut.size < PART.updates && topics < PART.topics; end += 1) {
      const position = positions[end] ?? 0;
      const takeout = this.updates.takeoutOf(position);
      if (!takeout) continue;
      takeOut.set(position, takeout);
      topics += takeout.content.topics.length;
    }
    return { takeOut, end };
  }
}
