import { Logger } from '@nestjs/common';
import type { ReadEntry } from '../../journal.js';
import type { TopicAddresses, TopicLookup } from '../../topics/topic-lookup.js';
import type { Update } from '../../update.js';
import { isTakenOut, readRecord } from '../lmdb-record.js';
import type { LmdbTable } from '../lmdb-table.js';
import { LmdbTopics, type TopicSource } from './lmdb-topics.js';
import { LIMITS } from './index-limits.js';
import { BuildLog } from './build-log.js';
import { TopicDraft } from './topic-draft.js';
import { TopicHand } from './topic-hand.js';
import { FIRST_KEY, STATE_KEY } from './topic-keys.js';
import { encodeState, stateFor, type TopicState } from './topic-state.js';
import type { Edit, TopicTable } from './topic-table.js';
import { type Indexed, TopicBlock, TopicTail } from './topic-tail.js';

/** When so many blocks wait for the disk, nothing is appended before one of them has gone there. */
const MOST_WAITING = 8;

/** Rows of another index that one commit removes. */
const CLEARED = 4_096;

/** Topics that a commit which appends nothing looks at, for trimmed positions. */
const LOOKS = 512;

/** Milliseconds for which nothing is tried after the disk had no room for the index. */
const REST = 1_000;

/** How much is read at once: records, positions over all their topics, and bytes. */
interface Limits {
  readonly records: number;
  readonly count: number;
  readonly bytes: number;
}

/** What is indexed. */
export interface IndexedLog {
  readonly table: LmdbTable<Update>;
  /** The position of the newest update. */
  readonly newest: number;
  /** Every update from this position on is held. */
  readonly oldest: number;
  /** No record is left before this position. */
  readonly swept: number;
}

/** The change of the index that the commit under way makes, and the state after it. */
interface Staged {
  readonly state: TopicState;
  /** The block that goes to the disk. */
  readonly block: TopicBlock | undefined;
  readonly edits: readonly Edit[];
}

/**
 * The index of updates by topic. What is on the disk has the updates up to a position, `upTo`, which is written with it.
 * The newest updates are in a tail in memory, and go to the disk together when there are enough of them, so that a
 * commit changes few pages for many updates. When the files are opened, what is not on the disk is read from the log:
 * so the index is as durable as the log. Where there is much, the index is completed in the background.
 */
export class LmdbIndex implements TopicSource {
  readonly tail: TopicTail;
  private state: TopicState;
  private staged: Staged | undefined;
  /** Whether everything after `upTo` is in the tail. */
  private isComplete = false;
  private restsUntil = 0;
  private readonly hand: TopicHand;
  private readonly lookup: LmdbTopics;
  private readonly building = new BuildLog(new Logger('Journal'));

  constructor(
    readonly table: TopicTable,
    private readonly log: IndexedLog,
    private readonly addresses: TopicAddresses,
  ) {
    this.lookup = new LmdbTopics(this);
    this.tail = new TopicTail(addresses);
    this.hand = new TopicHand(table, () => log.swept);
    this.state = stateFor(table, addresses, log.newest);
    this.complete();
  }

  get topics(): TopicLookup | undefined {
    return this.isComplete && this.table.isOpen ? this.lookup : undefined;
  }

  get from(): number {
    return this.state.from;
  }

  get upTo(): number {
    return this.state.upTo;
  }

  get oldest(): number {
    return this.log.oldest;
  }

  /** Whether there is enough to do for a commit of its own. */
  get isDue(): boolean {
    if (performance.now() < this.restsUntil) return this.isFull;
    return !this.isComplete || this.tail.waiting > 0;
  }

  /** Whether there may be something to remove, for which there is time. */
  get isUntidy(): boolean {
    return this.hand.isNeeded && performance.now() >= this.restsUntil;
  }

  /** Whether nothing may be appended before the index has been written, which then can't be put off any longer. */
  get isFull(): boolean {
    return this.tail.waiting >= MOST_WAITING;
  }

  /** To be called with what has been stored. */
  appended(entries: readonly ReadEntry[]): void {
    if (!this.isComplete) return;
    for (const entry of entries) {
      if (!('update' in entry) || !entry.update) continue;
      const { position, update } = entry;
      this.tail.add({ position, topics: update.topics, size: update.data.length });
    }
  }

  /**
   * What the next commit changes in the index; nothing where there is nothing to do. Either {@link committed} or
   * {@link discard} follows.
   * @param beside how many updates the same commit appends.
   */
  change(beside: number): readonly Edit[] {
    this.staged = undefined;
    if (performance.now() < this.restsUntil && !this.isFull) return [];
    const draft = new TopicDraft(this.table, this.addresses, this.log.swept);
    const state = this.draw(draft, beside);
    if (draft.count === 0 && state === this.state) return [];
    draft.put(STATE_KEY, encodeState(state));
    this.staged = { state, edits: draft.edits, block: this.isComplete ? this.tail.oldest : undefined };
    return this.staged.edits;
  }

  /** What has to be changed when updates are taken out. */
  changeFor(removed: readonly Pick<Indexed, 'position' | 'topics'>[]): readonly Edit[] {
    const draft = new TopicDraft(this.table, this.addresses, this.log.swept);
    for (const update of removed) if (update.position <= this.upTo) draft.delete(update);
    return draft.edits;
  }

  /** To be called when updates have been taken out. */
  removed(updates: readonly Pick<Indexed, 'position' | 'topics'>[]): void {
    for (const update of updates) this.tail.delete(update);
  }

  /** The change is on the disk; without `isStored`, the disk had no room for it. */
  committed(isStored: boolean): void {
    const { staged } = this;
    this.staged = undefined;
    if (!staged) return;
    if (!isStored) {
      this.restsUntil = performance.now() + REST;
      return;
    }
    this.state = staged.state;
    if (!this.isComplete && this.log.newest - this.upTo <= LIMITS.part.records) this.complete();
    else if (!this.isComplete) this.building.progress(this.upTo, this.log);
    else if (staged.block) this.tail.forgetOldest();
  }

  discard(): void {
    this.staged = undefined;
  }

  /** To be called when the files have been opened again: it is not known what the last commit has stored. */
  recover(): void {
    this.discard();
    this.tail.clear();
    this.isComplete = false;
    this.state = stateFor(this.table, this.addresses, this.log.newest);
    this.complete();
  }

  /** Draws up a change, and tells the state after it. */
  private draw(draft: TopicDraft, beside: number): TopicState {
    if (this.state.isStale) return this.clear(draft);
    if (!this.isComplete) return this.build(draft, beside);
    const block = this.tail.oldest;
    const count = block?.count ?? 0;
    this.hand.move(draft, beside > 0 ? 2 * count : Math.max(LOOKS, 2 * count));
    if (!block) return this.state;
    draft.add(block);
    return { ...this.state, upTo: block.upTo };
  }

  private clear(draft: TopicDraft): TopicState {
    for (const { key, value } of this.table.range(FIRST_KEY)) {
      if (draft.count >= CLEARED) return { ...this.state };
      draft.remove(key, value.length);
    }
    return { ...this.state, isStale: false };
  }

  /** Takes the next updates in that are on the disk only. */
  private build(draft: TopicDraft, beside: number): TopicState {
    const limits = beside > 0 ? { ...LIMITS.partBeside, records: LIMITS.partBeside.records + 2 * beside } : LIMITS.part;
    const { updates, from, end } = this.readFrom(this.upTo + 1, limits);
    const block = new TopicBlock();
    for (const update of updates) block.add(update);
    draft.add(block);
    return { ...this.state, from, upTo: end };
  }

  /** Reads everything that comes after `upTo` into the tail, unless that is too much for now. */
  private complete(): void {
    if (!this.state.isStale) {
      const { updates, from, end } = this.readFrom(this.upTo + 1, LIMITS.part);
      if (end >= this.log.newest) {
        for (const update of updates) this.tail.add(update);
        this.state = { ...this.state, from };
        this.isComplete = true;
        this.building.end(this.log.newest);
        return;
      }
    }
    this.building.progress(this.upTo, this.log);
  }

  /** The updates from a position on, within limits, and the position up to which these are all. */
  private readFrom(
    start: number,
    limits: Limits,
  ): { readonly updates: readonly Indexed[]; readonly from: number; readonly end: number } {
    const { table: records, newest } = this.log;
    const updates: Indexed[] = [];
    let { from } = this.state;
    let [count, bytes, read, end] = [0, 0, 0, start - 1];
    for (const placed of records.range(start, newest + 1)) {
      if (read >= limits.records || count >= limits.count || bytes >= limits.bytes) return { updates, from, end };
      const record = readRecord(records.kind, placed);
      read += 1;
      end = placed.position;
      bytes += placed.bytes.length;
      // Nobody can tell the topics of a damaged one any more: it is found by reading what lies before it through.
      if (!record) from = isTakenOut(placed.bytes) ? from : end + 1;
      else {
        const { topics } = record.content;
        count += topics.length;
        updates.push({ position: end, topics, size: placed.bytes.length });
      }
    }
    return { updates, from, end: newest };
  }
}
