export interface Update {
  readonly id: string;
  readonly topic: string;
  readonly data: string;
}

interface Held {
  readonly update: Update;
  readonly key: string | undefined;
  readonly bytes: number;
  readonly at: number;
}

/** Bounds of the log, as Herald has them by default. */
const EVENTS = 100_000;
const BYTES = 256 * 1024 ** 2;
const AGE = 24 * 3_600_000;

/** A log in memory that is bounded in number, bytes and age, and looked up by id, key and topic. */
export class DutyLog {
  private readonly held: (Held | undefined)[] = [];
  private readonly positionsOfIds = new Map<string, number>();
  private readonly idsOfKeys = new Map<string, string>();
  private readonly positionsOfTopics = new Map<string, number[]>();
  private first = 0;
  private next = 0;
  private bytes = 0;

  constructor(private readonly deliver: (update: Update, topic: string) => void) {}

  get position(): number {
    return this.next;
  }

  /** Stores an update once for each key, and delivers it. Returns its id. */
  append(update: Update, key: string | undefined): string {
    const known = key === undefined ? undefined : this.idsOfKeys.get(key);
    if (known !== undefined) return known;
    const bytes = Buffer.byteLength(update.data) + update.topic.length + update.id.length;
    this.held[this.next % EVENTS] = { update, key, bytes, at: Date.now() };
    this.positionsOfIds.set(update.id, this.next);
    if (key !== undefined) this.idsOfKeys.set(key, update.id);
    const positions = this.positionsOfTopics.get(update.topic);
    if (positions) positions.push(this.next);
    else this.positionsOfTopics.set(update.topic, [this.next]);
    this.next += 1;
    this.bytes += bytes;
    this.trim();
    this.deliver(update, update.topic);
    return update.id;
  }

  private trim(): void {
    const oldest = Date.now() - AGE;
    for (;;) {
      const slot = this.first % EVENTS;
      const held = this.held[slot];
      const isOver = this.next - this.first >= EVENTS || this.bytes > BYTES || (held?.at ?? oldest) < oldest;
      if (!held || !isOver) return;
      this.held[slot] = undefined;
      this.bytes -= held.bytes;
      this.positionsOfIds.delete(held.update.id);
      if (held.key !== undefined) this.idsOfKeys.delete(held.key);
      const positions = this.positionsOfTopics.get(held.update.topic);
      positions?.shift();
      if (positions?.length === 0) this.positionsOfTopics.delete(held.update.topic);
      this.first += 1;
    }
  }
}
