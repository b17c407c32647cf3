import { textOf } from '../../support/event-stream.js';
import { HUB, type Publisher } from '../../support/hub.js';
import type { Loss } from '../../faults/support/check.js';

/** An update that was acknowledged, or will be. */
interface Published {
  readonly id: string;
  readonly topics: readonly string[];
  readonly bytes: number;
  /** On the monotonic clock, when it was sent or soon to be. */
  readonly sentAt: number;
}

/** What an engine keeps at least, whichever limit is reached first. */
export interface Kept {
  readonly events: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly age: number;
}

/** More than any engine counts for an update besides its data: LMDB counts whole pages. */
const OVERHEAD = 9_000;

/** The oracle: what publishing has answered, in order. One request follows the other, so that there is but one order. */
export class ModelLog {
  private readonly held: Published[] = [];
  private gone: { readonly after: number; readonly updates: readonly Published[] } | undefined;
  /** What is not yet answered. */
  private readonly underWay: Published[] = [];
  private count = 0;
  private last: Promise<void> = Promise.resolve();

  /** @param name of the run, with which all ids begin. */
  constructor(
    private readonly name: string,
    private readonly publisher: Publisher,
    private readonly kept: Kept,
  ) {}

  /** How many updates have been acknowledged, of those that are not lost. */
  get length(): number {
    return this.held.length;
  }

  /** Whether all is answered. */
  get isIdle(): boolean {
    return this.underWay.length === 0;
  }

  get hasLost(): boolean {
    return this.gone !== undefined;
  }

  /** The id of the last update. */
  get lastId(): string | undefined {
    return this.held.at(-1)?.id;
  }

  /** Publishes so many in one request, as soon as those before are answered. */
  publish(topics: readonly string[], count: number, bytes: number): Promise<void> {
    const sentAt = performance.now();
    const updates = Array.from({ length: count }, () => ({
      id: `${this.name}-${this.count++}`,
      topics,
      bytes,
      sentAt,
    }));
    this.underWay.push(...updates);
    const sent = this.last.then(() => this.send(updates));
    // Whoever waits for the next one, or for all, is told.
    sent.catch(() => undefined);
    this.last = sent;
    return sent;
  }

  /** Resolves once everything is answered; rejects when something was refused. */
  idle(): Promise<void> {
    return this.last;
  }

  /** Everything after the first `length` updates is lost. Once in a run, when nothing is under way. */
  loseAfter(length: number): void {
    this.gone = { after: length, updates: this.held.splice(length) };
  }

  /**
   * The place of the first update that must still be held now, also when all that is under way is stored, and by a process
   * that has not noticed yet that some are lost, and trims as if they were there.
   */
  mustHoldFrom(): number {
    const { all } = this;
    const lost = this.gone?.updates ?? [];
    const eldest = performance.now() - this.kept.age;
    let count = lost.length;
    let bytes = lost.reduce((sum, update) => sum + update.bytes + OVERHEAD, 0);
    let from = all.length;
    for (const update of all.toReversed()) {
      count += 1;
      bytes += update.bytes + OVERHEAD;
      if (update.sentAt < eldest || bytes > this.kept.bytes || count > this.kept.events) break;
      from -= 1;
    }
    return from;
  }

  /** How many of the first `length` updates are on one of these topics. */
  countOf(topics: readonly string[], length: number): number {
    return idsOn(topics, this.all.slice(0, length)).length;
  }

  /** How many there may be on these topics for a process, which may not have noticed yet that some of them are lost. */
  atMostOn(topics: readonly string[]): number {
    const { after, updates } = this.gone ?? { after: 0, updates: [] };
    return Math.max(
      idsOn(topics, this.all).length,
      idsOn(topics, this.held.slice(0, after)).length + idsOn(topics, updates).length,
    );
  }

  /** Ids on these topics, in order. */
  idsOn(topics: readonly string[]): string[] {
    return idsOn(topics, this.held);
  }

  /** What was lost, as a reader of these topics sees it. */
  lossFor(topics: readonly string[]): Loss | undefined {
    if (!this.gone) return undefined;
    const { after, updates } = this.gone;
    return { after: this.countOf(topics, after), ids: idsOn(topics, updates), isMore: true };
  }

  private get all(): readonly Published[] {
    return [...this.held, ...this.underWay];
  }

  private async send(updates: readonly Published[]): Promise<void> {
    const lines = updates.map(({ id, topics, bytes }) => JSON.stringify({ topics, data: 'x'.repeat(bytes), id }));
    const headers = { 'content-type': 'application/x-ndjson' };
    const response = await this.publisher.post(lines.join('\n'), headers, `${HUB}/batch`);
    const answer = await textOf(response);
    const told = response.statusCode === 200 ? idsIn(answer) : [];
    if (told.join() !== updates.map(({ id }) => id).join()) {
      throw new Error(`publishing was answered with ${response.statusCode}: ${answer}`);
    }
    this.held.push(...this.underWay.splice(0, updates.length));
  }
}

function idsIn(answer: string): (string | undefined)[] {
  const lines = answer.trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { id?: string }).id);
}

function idsOn(topics: readonly string[], updates: readonly Published[]): string[] {
  return updates.filter((update) => update.topics.some((topic) => topics.includes(topic))).map(({ id }) => id);
}
