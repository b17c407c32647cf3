import { Connection } from './connection.js';
import type { HeraldError } from './errors.js';
import type { FeedOptions } from './feed.js';
import type { Part } from './part.js';
import { REMEMBERED } from './repeats.js';
import { Tail } from './tail.js';
import { type ConnectionListener, type ConnectionState, isGap, type Notice, type WireMessage } from './wire.js';

type CatchUpOptions = Pick<FeedOptions, 'openAt' | 'emit'>;

/** Whoever is to know what the hub has refused. */
type Judged = Pick<ConnectionListener, 'refused'>;

/** Messages held back for one part. Beyond this the oldest are dropped, and fetched with the history. */
const MAX_HELD = REMEMBERED / 2;

/** One part that catches up. */
interface Waiting {
  /** The live messages that have come meanwhile. */
  readonly held: WireMessage[];
  /** Whether some had to be dropped. */
  hasDropped: boolean;
  /** What the history has brought for it. */
  readonly history: Tail;
}

/**
 * Has parts of subscriptions that have missed messages catch up with the streams that they are on, together those that
 * resume after the same id on the same stream.
 */
export function bringUp(parts: readonly Part[], options: CatchUpOptions, feed: Judged): void {
  const groups = new Map<string, [Part, ...Part[]]>();
  for (const part of parts) {
    const key = `${part.stream} ${part.since}`;
    const group = groups.get(key);
    if (group) group.push(part);
    else groups.set(key, [part]);
  }
  for (const group of groups.values()) void new CatchUp(group, options, feed);
}

/**
 * Reads the history over a second connection, which closes when it reaches the live messages that are held back. So
 * each part gets everything in one order.
 */
export class CatchUp implements ConnectionListener {
  readonly #since: string;
  readonly #options: CatchUpOptions;
  readonly #feed: Judged;
  readonly #connection: Connection;
  readonly #waiting = new Map<Part, Waiting>();

  constructor(parts: readonly [Part, ...Part[]], options: CatchUpOptions, feed: Judged) {
    this.#since = parts[0].since;
    this.#options = options;
    this.#feed = feed;
    this.#connection = options.openAt(this.#since, this);
    for (const part of parts) {
      part.catchUp = this;
      this.#waiting.set(part, { held: [], hasDropped: false, history: new Tail() });
    }
    this.#connection.want([...new Set(parts.flatMap(({ matchers }) => matchers))]);
  }

  /** The id up to which the history has been read. */
  get cursor(): string {
    return this.#connection.cursor || this.#since;
  }

  /** Holds a live message back until the history has been delivered. */
  hold(part: Part, message: WireMessage): void {
    const waiting = this.#waiting.get(part);
    if (!waiting) return;
    waiting.held.push(message);
    if (waiting.held.length <= MAX_HELD) return;
    // The history will bring the dropped one, and goes on until it brings one that is still held.
    waiting.held.shift();
    waiting.hasDropped = true;
  }

  drop(part: Part): void {
    if (this.#waiting.delete(part) && this.#waiting.size === 0) this.close();
  }

  hurry(evenIfFailed?: boolean): void {
    this.#connection.hurry(evenIfFailed);
  }

  close(): void {
    this.#connection.close();
  }

  message(message: WireMessage): void {
    const { id, topics, replayed } = message;
    for (const [part, { held, history }] of this.#waiting) {
      if (topics.length > 0 && !part.topicAmong(topics)) continue;
      history.add(id);
      part.deliver(message);
      // While Herald replays, it says itself when the history is complete. Others have only the messages to tell by.
      if (!replayed && held.some((one) => one.id === id)) this.#handOver(part);
    }
  }

  notice(notice: Notice): void {
    for (const [part, { held, hasDropped, history }] of this.#waiting) {
      if (isGap(notice)) part.notifyGap(notice);
      if (notice.type !== 'caught-up') continue;
      // Where live messages had to be dropped, the history goes on until it meets those that are held.
      if (!hasDropped || held.some(({ id }) => history.has(id))) this.#handOver(part);
    }
  }

  refused(...refusal: Parameters<ConnectionListener['refused']>): void {
    this.#feed.refused(...refusal);
  }

  full(...refusal: Parameters<ConnectionListener['full']>): void {
    this.#feed.refused(...refusal);
  }

  covers(): void {
    // The notice `caught-up` says when the history is complete.
  }

  crowded(): boolean {
    // The stream that it catches up with carries the same matchers, so this is one of the rare cases.
    return false;
  }

  state(state: ConnectionState): void {
    if (state !== 'failed') return;
    for (const part of this.#waiting.keys()) {
      part.notifyGap({ type: 'gap', reason: 'refused' });
      this.#handOver(part);
    }
  }

  error(error: HeraldError): void {
    this.#options.emit('error', error);
  }

  /** Delivers the held messages that the history has not brought. From now on the stream alone is enough. */
  #handOver(part: Part): void {
    const waiting = this.#waiting.get(part);
    if (!waiting) return;
    const { held, history } = waiting;
    const { count, repeats } = history.meet(held.map(({ id }) => id));
    for (const message of held.slice(count)) part.deliver(message);
    // The stream may be slower than the history was.
    part.goLive(this.cursor, repeats);
    this.drop(part);
  }
}
