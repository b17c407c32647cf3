import type { Appended, AppendOptions, StoredEntry } from '../journal.js';
import { weightOfText } from '../update.js';
import type { Identified } from './lmdb-kind.js';
import type { LmdbStore } from './lmdb-store.js';

/** What one commit takes at most, so that the first in a long queue does not wait for the last. */
const GROUP_ENTRIES = 1_024;
const GROUP_CHARACTERS = 4 * 1024 ** 2;

/** The most characters of updates that may wait for the disk; more updates are refused. */
const MAX_WAITING = 64 * 1024 ** 2;

/** An append on its way to the disk. */
export interface Pending {
  /** How many positions it takes. */
  readonly positions: number;
  /** The id of its last event. */
  readonly id: string;
  /** Its idempotency key, among those of both stores. */
  readonly key: string | undefined;
  readonly fingerprint: string | undefined;
  readonly size: number;
  readonly stored: Promise<Appended>;
  /** Makes it part of the commit that comes next. */
  readonly stage: (position: number) => StoredEntry;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

/** The appends to both stores that wait for the disk, in the order of the calls. */
export class LmdbQueue {
  private readonly waiting: Pending[] = [];
  private waitingSize = 0;
  private readonly keys = new Map<string, Pending>();

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  get isFull(): boolean {
    return this.waitingSize > MAX_WAITING;
  }

  /** The answer for an append whose idempotency key waits already or is held; else what becomes of it once it is taken. */
  add<Content extends Identified>(
    store: LmdbStore<Content>,
    content: Content,
    options: AppendOptions,
  ): Promise<Appended> {
    const { idempotencyKey } = options;
    // Each store has keys of its own.
    const key = idempotencyKey === undefined ? undefined : `${store.kind.tables.keys} ${idempotencyKey}`;
    const pending = key === undefined ? undefined : this.keys.get(key);
    if (pending) return pending.stored.then(() => repetition(pending, options));
    const { kind } = store;
    const held = idempotencyKey === undefined ? undefined : store.withKey(idempotencyKey);
    if (held) return Promise.resolve(repetition({ ...held, id: kind.lastIdOf(held.content) }, options));
    return this.push(pendingOf(store, content, key, options));
  }

  /** Takes what one commit is to store. */
  takeGroup(): readonly Pending[] {
    let count = 0;
    let size = 0;
    for (const pending of this.waiting.slice(0, GROUP_ENTRIES)) {
      if (count > 0 && size + pending.size > GROUP_CHARACTERS) break;
      count += 1;
      size += pending.size;
    }
    this.waitingSize -= size;
    return this.waiting.splice(0, count);
  }

  takeAll(): readonly Pending[] {
    this.waitingSize = 0;
    return this.waiting.splice(0);
  }

  /** To be called with each append that was taken, once it is decided: its key is not that of a waiting one any more. */
  decided({ key }: Pending): void {
    if (key !== undefined) this.keys.delete(key);
  }

  private push(pending: Pending): Promise<Appended> {
    this.waiting.push(pending);
    this.waitingSize += pending.size;
    if (pending.key !== undefined) this.keys.set(pending.key, pending);
    return pending.stored;
  }
}

/** Makes all of them part of the commit that comes next, after the position `head`. */
export function stageAll(group: readonly Pending[], head: number): readonly StoredEntry[] {
  let position = head;
  return group.map((pending) => {
    position += pending.positions;
    return pending.stage(position);
  });
}

function pendingOf<Content extends Identified>(
  store: LmdbStore<Content>,
  content: Content,
  key: string | undefined,
  { idempotencyKey, fingerprint }: AppendOptions,
): Pending {
  const { kind } = store;
  const settlers: Partial<Pick<Pending, 'resolve' | 'reject'>> = {};
  const stored = new Promise<Appended>((resolve, reject) => Object.assign(settlers, { resolve, reject }));
  return {
    positions: kind.positionsOf(content),
    id: kind.lastIdOf(content),
    key,
    fingerprint,
    size: kind.weightOf(content) + weightOfText(idempotencyKey) + weightOfText(fingerprint),
    stored,
    stage: (position) => store.stage(position, { content, idempotencyKey, fingerprint }),
    ...settlers,
  } as Pending;
}

function repetition(
  earlier: { readonly id: string; readonly fingerprint: string | undefined },
  { fingerprint }: AppendOptions,
): Appended {
  return earlier.fingerprint === fingerprint ? { outcome: 'repeated', id: earlier.id } : { outcome: 'conflict' };
}
