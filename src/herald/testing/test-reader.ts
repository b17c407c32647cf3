import { EventEmitter, once } from 'node:events';
import type { Caller } from '../../access/caller.js';
import type { Update } from '../../storage/journal/update.js';

/** An update as a test sees it. */
export interface TestUpdate {
  readonly id: string;
  readonly topics: readonly string[];
  /** The data, parsed where it is JSON. */
  readonly data: unknown;
  /** Absent where it has none. */
  readonly type?: string;
  readonly private: boolean;
}

/** Somebody who has subscribed, as far as a test wants to know: what they have got, and what they get from now on. */
export class TestReader implements AsyncIterable<TestUpdate> {
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private readonly updates: TestUpdate[] = [];
  private clearedAt = 0;
  private isOver = false;

  /** @internal */
  constructor(
    /** Whether an update is matched, and granted now. */
    readonly wants: (update: Update) => boolean,
    /** @internal Whose grants these are. */
    readonly caller: Caller,
  ) {}

  /** What has come since it subscribed, or since the hub was cleared: also what was published just before. */
  get received(): readonly TestUpdate[] {
    return this.updates.slice(this.clearedAt);
  }

  /** Each update since it subscribed, or since the hub was cleared, as it comes. Ends when the module is closed, or the grants are revoked. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TestUpdate, void> {
    for (let next = this.clearedAt; ;) {
      const update = this.updates[next];
      if (update) {
        next += 1;
        yield update;
      } else if (this.isOver) {
        return;
      } else {
        // oxlint-disable-next-line no-await-in-loop -- it waits for the next one
        await once(this.changes, 'change');
      }
    }
  }

  /** For the hub that it reads. */
  offer(update: TestUpdate): void {
    this.updates.push(update);
    this.changes.emit('change');
  }

  /** For the hub that it reads. */
  clear(): void {
    this.clearedAt = this.updates.length;
  }

  /** For the hub that it reads. */
  end(): void {
    this.isOver = true;
    this.changes.emit('change');
  }
}
