import type { TopicDraft } from './topic-draft.js';
import { FIRST_TOPIC_KEY } from './topic-keys.js';
import type { TopicTable } from './topic-table.js';

/**
 * Goes round all topics, a few at a time, and removes what leads to records that trimming has removed. So removing a
 * record needs no look at its topics, and the changes of many lie together. As it goes twice as far as positions are
 * added, at most half of the topics in the index are such that no update has any more.
 */
export class TopicHand {
  /** Where it goes on; undefined when it is not on its way. */
  private next: Buffer | undefined;
  /** No record was left before this position when it set out, and when it came round. */
  private setOut = 1;
  private done = 0;

  constructor(
    private readonly table: TopicTable,
    private readonly swept: () => number,
  ) {}

  /** Whether there may be something to remove. */
  get isNeeded(): boolean {
    return this.table.isCreated && (this.next !== undefined || this.swept() > Math.max(1, this.done));
  }

  /** Looks at the next topics, about `most` of them. */
  move(draft: TopicDraft, most: number): void {
    if (!this.isNeeded) return;
    if (!this.next) this.setOut = this.swept();
    let left = most;
    for (const row of this.table.range(this.next ?? FIRST_TOPIC_KEY, FIRST_TOPIC_KEY)) {
      this.next = row.key;
      if (left <= 0) return;
      const before = draft.count;
      if (!draft.prune(row, left)) return;
      left -= 1 + draft.count - before;
    }
    this.next = undefined;
    this.done = this.setOut;
  }
}
