/** What the log has of one update. */
export interface LogMessage {
  readonly kind: 'message';
  /** Counts entries in the order in which they came. No serial is used twice. */
  readonly serial: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly id: string | undefined;
  readonly topic: string;
  readonly type: string;
  readonly text: string;
  readonly isReplayed: boolean;
  /** Milliseconds from publishing to receiving, where this page has published the message. May be known later. */
  latency: number | undefined;
  /** Whether it was asked of the hub's history. Then `at` is when it was published. */
  readonly isHistory?: true;
}

/** Why a connection was lost: what the client found, or what the hub said before the end. */
export const LOSSES = [
  'unreachable',
  'stalled',
  'busy',
  'not-a-stream',
  'token-failed',
  'unauthorized',
  'refused',
  'stopped',
  'expired',
  'revoked',
  'drain',
  'overloaded',
  'dismissed',
  'unavailable',
  'ended',
] as const;
export type Loss = (typeof LOSSES)[number];

/** What became of the stream at this place. */
export interface LogMark {
  readonly kind: 'mark';
  readonly serial: number;
  readonly at: number;
  /** `connected` begins a section of the log, and `left` says that the reader has ended it. */
  readonly mark: 'connected' | 'left' | 'lost' | 'resumed' | 'gap' | 'reset';
  /** Who is connected; undefined for somebody anonymous. */
  readonly who?: string | undefined;
  /** Whether the log was cleared, because what was in it had come to somebody else. */
  readonly isCleared?: boolean;
  readonly loss?: Loss;
  /** Milliseconds that the connection was away. */
  readonly away?: number;
  readonly replayed?: number;
  /** The id of the last message before the connection was lost, if there was one. */
  readonly after?: string;
  /** Updates that are missing, on whatever topics, where the hub knows. */
  readonly updates?: number;
}

/** What the hub's history has of one update. */
export type PastMessage = Pick<LogMessage, 'id' | 'topic' | 'type' | 'text' | 'at'>;

export type LogEntry = LogMessage | LogMark;
type Unnumbered<Entry> = Entry extends LogEntry ? Omit<Entry, 'kind' | 'serial' | 'at'> : never;

/** What the log holds at most: entries, and characters of all their texts. */
export const LIMITS = { entries: 10_000, characters: 16 * 1024 ** 2 };

/** The part of the log that is dropped when a limit is reached: moving all entries for each message costs too much. */
const TRIMMED = 0.1;

/** Ids that are remembered, because a message that several topics match comes once for each: as many as the log holds. */
const KNOWN_IDS = LIMITS.entries;

/** Milliseconds since the epoch, with parts: a latency may be shorter than one. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * The newest messages, and the marks between them. Each connection has a section of its own, in which every message is
 * once: whoever connects again, and begins earlier, is shown again what comes again.
 */
export class MessageLog {
  /** Oldest first. */
  readonly entries: LogEntry[] = [];
  received = 0;
  dropped = 0;
  /** Grows whenever the log is cleared. */
  generation = 0;
  private serial = 0;
  /** The lowest serial: those of older messages, which are put before the first entry, go down from here. */
  private earliest = 1;
  private characters = 0;
  private readonly known = new Set<string>();

  constructor(
    private readonly clock: () => number = now,
    private readonly limits: typeof LIMITS = LIMITS,
  ) {}

  /** Begins a section: whoever reads from now on may get again what was read before. */
  begin(mark: Pick<LogMark, 'who' | 'isCleared'>): void {
    this.known.clear();
    this.mark({ mark: 'connected', ...mark });
  }

  /** Adds a message, and returns whether it was new. */
  add(message: Unnumbered<LogMessage>): boolean {
    const { id } = message;
    if (id !== undefined) {
      if (this.known.has(id)) return false;
      this.remember(id);
    }
    this.received += 1;
    this.push({ kind: 'message', serial: ++this.serial, at: this.clock(), ...message });
    return true;
  }

  /**
   * Puts older messages before the first entry, the oldest first, but for those that the log has.
   * @returns how many were put there.
   */
  prepend(messages: readonly PastMessage[]): number {
    const held = new Set(this.entries.map((entry) => (entry.kind === 'message' ? entry.id : undefined)));
    const older = messages.filter(({ id }) => id === undefined || !held.has(id));
    const past = { kind: 'message', isReplayed: false, latency: undefined, isHistory: true } as const;
    this.earliest -= older.length;
    this.entries.unshift(...older.map((one, index) => ({ ...past, ...one, serial: this.earliest + index })));
    this.characters += older.reduce((sum, { text }) => sum + text.length, 0);
    return older.length;
  }

  /** Whether there is room for older messages, besides a part of the log that is for what comes. */
  hasRoomFor(characters: number, count: number): boolean {
    const { entries, characters: most } = this.limits;
    const share = 1 - TRIMMED;
    return this.entries.length + count <= entries * share && this.characters + characters <= most * share;
  }

  mark(mark: Unnumbered<LogMark>): void {
    this.push({ kind: 'mark', serial: ++this.serial, at: this.clock(), ...mark });
  }

  /** Notes and returns the latency of the message with this id, sent at `start`; undefined if it is not in the log. */
  measure(id: string, start: number): number | undefined {
    const entry = this.entries.findLast((one) => one.kind === 'message' && one.id === id);
    if (entry?.kind !== 'message') return undefined;
    entry.latency = Math.max(0, entry.at - start);
    return entry.latency;
  }

  /** Forgets everything, so that what is replayed afterwards is shown. */
  clear(): void {
    this.entries.length = 0;
    this.known.clear();
    this.characters = 0;
    this.received = 0;
    this.dropped = 0;
    this.generation += 1;
  }

  private push(entry: LogEntry): void {
    this.entries.push(entry);
    this.characters += sizeOf(entry);
    while (this.entries.length > this.limits.entries || this.characters > this.limits.characters) {
      if (this.entries.length === 1) return;
      const gone = this.entries.splice(0, Math.max(1, Math.floor(this.entries.length * TRIMMED)));
      this.dropped += gone.length;
      for (const one of gone) this.characters -= sizeOf(one);
    }
  }

  private remember(id: string): void {
    this.known.add(id);
    if (this.known.size <= KNOWN_IDS) return;
    const [oldest = ''] = this.known;
    this.known.delete(oldest);
  }
}

function sizeOf(entry: LogEntry): number {
  return entry.kind === 'mark' ? 0 : entry.text.length;
}
