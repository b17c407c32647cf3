import type { LogMark, Loss } from './message-log.js';
import { LOSSES } from './message-log.js';

type Mark = Omit<LogMark, 'kind' | 'serial' | 'at'>;

/** Follows one connection through its losses, and says which marks the log gets. */
export class Continuity {
  /** The id of the last message. */
  lastId: string | undefined;
  private lostAt: number | undefined;
  private loss: Loss = 'ended';
  private resumesAfter: string | undefined;
  private replayed = 0;

  /** @param mark called for each mark of the log. */
  constructor(private readonly mark: (mark: Mark) => void) {}

  /** Whether the connection was lost, and has not caught up since. */
  get isBroken(): boolean {
    return this.lostAt !== undefined;
  }

  /** Remembers why the connection was lost, should it be lost now. */
  blame(code: string): void {
    this.loss = LOSSES.find((known) => known === code) ?? this.loss;
  }

  opened(): void {
    this.loss = 'ended';
  }

  took(id: string | undefined, isReplayed: boolean): void {
    this.lastId = id;
    if (isReplayed) this.replayed += 1;
  }

  lost(): void {
    // If the connection is lost again before it has caught up, the first loss still counts.
    if (this.lostAt === undefined) {
      this.lostAt = Date.now();
      this.replayed = 0;
      this.resumesAfter = this.lastId;
    }
    this.mark({ mark: 'lost', loss: this.loss });
  }

  /** Everything that was missed has come. */
  caughtUp(): void {
    if (this.lostAt === undefined) return;
    const { lostAt, replayed, resumesAfter: after } = this;
    this.mark({ mark: 'resumed', away: Date.now() - lostAt, replayed, ...(after !== undefined && { after }) });
    this.lostAt = undefined;
  }

  /** Messages are missing, or the hub has lost some. */
  broke(mark: 'gap' | 'reset', updates: number | undefined): void {
    const { lostAt } = this;
    this.mark({ mark, ...(lostAt !== undefined && { away: Date.now() - lostAt }), ...(updates && { updates }) });
  }
}
