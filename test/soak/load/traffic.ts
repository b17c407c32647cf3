import { setTimeout as delay } from 'node:timers/promises';
import { type Backend, Refusal } from './backend.js';
import { heavyTopic, roomsFor, roomTopic, SITE } from './people.js';
import type { Reader, World } from './reader.js';

/** Publications in a second, and how many of these are large. */
const RATE = 50;
const HEAVY_EVERY = 12;
const ROOM_EVERY = 8;

/** Bytes of data. */
const LARGE = 64 * 1024;
const SMALL = 200;

/** Publications between two purges and between two questions for the past, and between two revocations. */
const OTHERS_EVERY = RATE;
const REVOKE_EVERY = 5 * RATE;

/** Publishes 50 updates a second, takes some out again, revokes tokens of readers and asks for the history. */
export class Traffic {
  private published = 0;
  private readonly underWay = new Set<Promise<void>>();
  private readonly busy = new Set<string>();
  private readonly recent: { topic: string; number: number; id: string }[] = [];

  constructor(
    private readonly backend: Backend,
    private readonly readers: readonly Reader[],
    private readonly world: World,
  ) {}

  /** Goes on until `until` says so, and resolves once everything is answered. */
  async run(until: () => boolean): Promise<void> {
    const begin = performance.now();
    for (let turn = 0; !until(); turn += 1) {
      this.publishOne();
      if (turn % OTHERS_EVERY === 10) this.start(() => this.purge());
      if (turn % REVOKE_EVERY === 25 && this.world.isRestless) this.start(() => this.revoke());
      if (turn % OTHERS_EVERY === 40) this.start(() => this.backend.history(SITE + this.someTopic()));
      // What a slow moment has held up is not caught up with all at once.
      const due = begin + ((turn + 1) * 1_000) / RATE;
      await delay(Math.max(1, due - performance.now()));
    }
    await Promise.all(this.underWay);
  }

  private start(act: () => Promise<void>): void {
    const doing = act().catch((error: unknown) => this.failed(error));
    this.underWay.add(doing);
    void doing.then(() => this.underWay.delete(doing));
  }

  private failed(error: unknown): void {
    const { tally } = this.world;
    if (error instanceof Refusal && error.status === 503)
      return tally.count('publications and purges refused with 503');
    tally.fault(String(error));
  }

  private publishOne(): void {
    const topic = this.someTopic();
    // One after the other on a topic, so that their order is known.
    if (this.busy.has(topic)) return this.world.tally.count('waited for the same topic');
    this.busy.add(topic);
    this.start(() => this.publish(topic).finally(() => this.busy.delete(topic)));
  }

  private async publish(topic: string): Promise<void> {
    const { ledger, tally } = this.world;
    const number = ledger.begin(topic);
    const padding = 'x'.repeat(topic === heavyTopic ? LARGE : SMALL);
    const isPrivate = number % 2 === 0 || topic.startsWith('users/');
    const id = await this.backend.publish({
      topic: SITE + topic,
      data: `${topic} ${number} ${padding}`,
      ...(isPrivate && { private: 'on' }),
    });
    ledger.store(topic);
    tally.count('published');
    this.recent.push({ topic, number, id });
    if (this.recent.length > 10 * RATE) this.recent.shift();
  }

  private someTopic(): string {
    const { random, readers } = this.world;
    this.published += 1;
    if (this.published % HEAVY_EVERY === 0) return heavyTopic;
    if (this.published % ROOM_EVERY === 0) return roomTopic(random.between(0, roomsFor(readers) - 1));
    const topics = random.pick(this.readers).person.topics;
    return topics[0] ?? roomTopic(0);
  }

  private async purge(): Promise<void> {
    const { ledger, random, tally } = this.world;
    const { topic, number, id } = random.pick(this.recent);
    tally.count('purges');
    if (topic === heavyTopic || random.chance(0.5)) {
      ledger.purgeOne(topic, number);
      return this.backend.purge({ id });
    }
    // The patterns are those of readers: with new ones each time, the cache of compiled ones would take hours to fill.
    const pattern = { match_urlpattern: SITE + topic.replace(/news$/, ':what') };
    await ledger.purge(topic, () => this.backend.purge(topic.startsWith('users/') ? { topic: SITE + topic } : pattern));
  }

  private async revoke(): Promise<void> {
    const { random, tally } = this.world;
    const { isOpen, token, tokenName } = random.pick(this.readers);
    // One that is just being shown would be refused, and rightly.
    if (!isOpen || !token) return;
    tally.count('revocations');
    await this.backend.revoke(tokenName, token.expires);
  }
}
