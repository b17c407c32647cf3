import { EventEmitter, once } from 'node:events';

/** What a publisher knows in the end of an update that it has sent. */
export type Answer =
  /** 200: it is the hub's now. */
  | 'acknowledged'
  /** The hub said that it has not stored it. */
  | 'refused'
  /** No answer came, or one that does not know, and the publisher gave up: it may be stored or not, but not twice. */
  | 'unknown';

/** What a reader saw: an update, a notice that something is missing or was taken back, or that what follows may supersede others. */
export type Seen = { readonly id: string } | Told | Began;

export interface Told {
  readonly notice: 'gap' | 'reset' | 'superseded';
  readonly reason?: string;
  /** The last place in the log where it may go on, counted from 0, where that is known. */
  readonly to?: number;
}

/** A reader began where it chose to: its next update has one of the places `from` to `to` in the log, counted from 0. */
export interface Began {
  readonly from: number;
  readonly to: number;
}

/** Milliseconds that something may take before the run gives up on it. */
const PATIENCE = 60_000;

/** Who was told what, over all faults. What must hold of it is in `check.ts`. */
export class History {
  readonly answers = new Map<string, Answer>();
  /** Statuses and problem codes of refusals, by how often they came. */
  readonly refusals = new Map<string, number>();
  readonly readers = new Map<string, Seen[]>();
  /** What readers got that is no event stream. */
  readonly malformed: string[] = [];
  /** How many answers did not come. */
  unanswered = 0;
  private readonly lastIds = new Map<string, string>();
  private readonly changes = new EventEmitter().setMaxListeners(1_000);
  private acknowledgedCount = 0;

  get acknowledged(): number {
    return this.acknowledgedCount;
  }

  /** Ids that had this answer, in the order of the answers. */
  idsWith(wanted: Answer): string[] {
    return [...this.answers].filter(([, answer]) => answer === wanted).map(([id]) => id);
  }

  answered(id: string, answer: Answer): void {
    this.answers.set(id, answer);
    if (answer === 'acknowledged') this.acknowledgedCount += 1;
    this.changed();
  }

  refused(reason: string): void {
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
    this.changed();
  }

  saw(reader: string, seen: Seen): void {
    const all = this.readers.get(reader) ?? [];
    all.push(seen);
    this.readers.set(reader, all);
    if ('id' in seen) this.lastIds.set(reader, seen.id);
    this.changed();
  }

  /** The ids that a reader saw, in order. */
  idsOf(reader: string): string[] {
    return (this.readers.get(reader) ?? []).flatMap((seen) => ('id' in seen ? [seen.id] : []));
  }

  /** The last id that a reader saw: where it resumes. */
  lastIdOf(reader: string): string | undefined {
    return this.lastIds.get(reader);
  }

  /** What a reader was told of losses. */
  noticesTo(reader: string): Told[] {
    return (this.readers.get(reader) ?? []).flatMap((seen) => ('notice' in seen ? [seen] : []));
  }

  /** Resolves once `condition` holds, which is looked at whenever something happens. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE);
    while (!condition()) {
      await once(this.changes, 'change', { signal }).catch(() => {
        throw new Error(`waited in vain until ${what}`);
      });
    }
  }

  private changed(): void {
    this.changes.emit('change');
  }
}
