import { setTimeout as delay } from 'node:timers/promises';
import { Random } from '../../faults/support/random.js';
import { Backend } from './backend.js';
import { Ledger } from './ledger.js';
import { ownTopic, SITE } from './people.js';
import { Reader, type World } from './reader.js';
import { Tally } from './tally.js';
import { Traffic } from './traffic.js';

/** Readers that connect together, and the milliseconds between two such groups. */
const TOGETHER = 25;
const BETWEEN = 40;

/** Milliseconds that a hub may take until everybody is there and has everything. */
const PATIENCE = 120_000;
const LOOK = 100;
const BETWEEN_LISTS = 1_000;

/** So many of them are everybody. */
const GATHERED = 0.998;

/** What a cache of the hub may hold at most: so many topics, and so many bytes of pages of the log. */
const TOPICS = 10_500;
const PAGE_BYTES = 24 * 1024 ** 2;
const BATCH = 500;
/** Bytes that are published between two replays: less than the log holds. */
const ROUND = 4 * 1024 ** 2;
const PIECE = 64 * 1024;

export interface CrowdOptions {
  readonly url: string;
  readonly readers: number;
  readonly seed: number;
  /** Nobody comes and goes, and nothing is published. */
  readonly isIdle: boolean;
}

/** Everybody who uses one hub. `using` lets go of all of them. */
export class Crowd implements Disposable {
  readonly tally = new Tally();
  private readonly backend: Backend;
  private readonly world: World;
  private readonly readers: readonly Reader[];
  private readonly traffic: Traffic;
  private going: Promise<void> = Promise.resolve();
  private isPublishing = false;

  constructor({ url, readers, seed, isIdle }: CrowdOptions) {
    this.backend = new Backend(url);
    this.world = {
      port: Number(new URL(url).port),
      readers,
      random: new Random(seed),
      ledger: new Ledger(),
      tally: this.tally,
      expires: !isIdle,
      isRestless: false,
    };
    this.readers = Array.from({ length: readers }, (_, seat) => new Reader(seat, this.world));
    this.traffic = new Traffic(this.backend, this.readers, this.world);
  }

  /** How many readers have a stream. */
  get open(): number {
    return this.readers.filter(({ isOpen }) => isOpen).length;
  }

  /** Lets everybody connect. */
  async come(signal: AbortSignal): Promise<void> {
    for (let first = 0; first < this.readers.length; first += TOGETHER) {
      for (const reader of this.readers.slice(first, first + TOGETHER)) reader.open();
      await delay(BETWEEN, undefined, { signal });
    }
    await this.untilComplete(signal);
  }

  /** Fills what the hub remembers up to a bound, so that it does not look like a leak while it fills. */
  async fillCaches(signal: AbortSignal): Promise<void> {
    for (let first = 0; first < TOPICS; first += BATCH) {
      signal.throwIfAborted();
      const topics = Array.from({ length: BATCH }, (_, index) => `${SITE}${ownTopic(first + index, -1)}`);
      await this.backend.publishAll(topics.map((topic) => ({ topic, data: 'x' })));
    }
    const data = 'x'.repeat(PIECE);
    for (let bytes = 0; bytes < PAGE_BYTES; bytes += ROUND) {
      signal.throwIfAborted();
      await this.backend.publishAll(Array.from({ length: ROUND / PIECE }, () => ({ topic: `${SITE}filling`, data })));
      await this.backend.replay();
    }
  }

  /** Begins to publish, and readers begin to come and go. */
  begin(): void {
    this.world.isRestless = true;
    this.isPublishing = true;
    for (const reader of this.readers) reader.stir();
    this.going = this.traffic.run(() => !this.isPublishing);
  }

  /** Stops both, and resolves once everybody is there and has got everything; what does not come is a fault. */
  async pause(signal: AbortSignal): Promise<void> {
    this.world.isRestless = false;
    this.isPublishing = false;
    for (const reader of this.readers) reader.calm();
    await this.going;
    await this.untilComplete(signal);
  }

  /** Resolves once nearly everybody has a stream at the same time: there is always somebody who comes back just now. */
  async untilGathered(signal: AbortSignal): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (this.open < GATHERED * this.readers.length && performance.now() < end) {
      await delay(LOOK, undefined, { signal });
    }
  }

  /** The hub must come to list exactly those who are there. */
  async checkSubscriptions(signal: AbortSignal): Promise<void> {
    const held = this.readers.reduce((sum, { person }) => sum + Math.max(1, person.topics.length), 0);
    const end = performance.now() + PATIENCE;
    let told = await this.backend.subscriptions();
    while (told !== held && performance.now() < end) {
      await delay(BETWEEN_LISTS, undefined, { signal });
      told = await this.backend.subscriptions();
    }
    if (told !== held) this.tally.fault(`the hub lists ${told} subscriptions, and there are ${held}`);
  }

  [Symbol.dispose](): void {
    this.isPublishing = false;
    for (const reader of this.readers) reader.close();
    this.backend[Symbol.dispose]();
  }

  private async untilComplete(signal: AbortSignal): Promise<void> {
    const end = performance.now() + PATIENCE;
    // Somebody may just be coming back with a new token: each has to be complete once, not all at the same time.
    let lacking = [...this.readers];
    while (lacking.length > 0 && performance.now() < end) {
      await delay(LOOK, undefined, { signal });
      lacking = lacking.filter((reader) => reader.lacks() !== undefined);
    }
    for (const reader of lacking) this.tally.fault(reader.lacks() ?? 'came too late');
  }
}
