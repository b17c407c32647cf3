import { setTimeout as delay } from 'node:timers/promises';
import { HUB, subscriberToken } from '../../../support/hub.js';
import { type RoomPublisher, topicOf } from './room-publisher.js';
import { RoomReader } from './room-reader.js';

export const ROOMS = 50;

/** Readers that come in one go. */
const GROUP = 50;

/** Milliseconds that something may take before the run gives up on it, and between two looks. */
const PATIENCE = 60_000;
const LOOK = 50;

/** Who is subscribed, as the hub tells it to whoever may know. */
const PRESENCE = new URLSearchParams({ match_urlpattern: `${HUB}/subscriptions{/*}?` }).toString();

interface Seat {
  readonly room: number;
  readonly reader: RoomReader;
  /** The number that comes next. */
  readonly next: () => number;
}

/** Readers of rooms, each of which gets the numbers from 0, and somebody who is told of everybody who comes and goes. */
export class Rooms implements Disposable {
  readonly faults: string[] = [];
  /** How many comings and goings were told since {@link forgetFlaps}. */
  flaps = 0;
  private readonly seats: Seat[] = [];
  private observer: RoomReader | undefined;

  constructor(private readonly url: string) {}

  /** Resolves once so many have a stream, and everybody has been told of everybody. */
  async fill(count: number): Promise<void> {
    this.observer = this.newReader(PRESENCE, await subscriberToken({ subject: 'observer' }), () => (this.flaps += 1));
    for (let index = 0; index < count; index += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one group after the other
      await this.seat(index);
      // oxlint-disable-next-line no-await-in-loop -- one group after the other
      if (index % GROUP === GROUP - 1) await this.allHere();
    }
    await this.allHere();
    // oxlint-disable-next-line no-await-in-loop -- nobody tells when all are told
    for (let before = -1; before !== this.flaps; await delay(2_000)) before = this.flaps;
    this.flaps = 0;
  }

  /** The readers that have a stream of this process. */
  readersAt(process: string): RoomReader[] {
    return this.seats.flatMap(({ reader }) => (reader.at === process ? reader : []));
  }

  /** How often a reader was told by a proxy that the hub is away. */
  get remedies(): number {
    return this.seats.reduce((sum, { reader }) => sum + reader.remedies, 0);
  }

  /** Resolves once all have a stream. */
  async allHere(): Promise<void> {
    const isHere = (): boolean => this.observer?.at !== '' && this.seats.every(({ reader }) => reader.at !== '');
    if (!(await becomes(isHere))) throw new Error('not everybody has come back');
  }

  /** Resolves once all have all that was published; it is a fault if they do not get it. */
  async allHave(publisher: RoomPublisher): Promise<void> {
    const lacking = (): Seat[] => this.seats.filter(({ room, next }) => next() !== publisher.publishedTo(room));
    if (!(await becomes(() => lacking().length === 0)))
      this.faults.push(`${lacking().length} readers lack the last one`);
  }

  [Symbol.dispose](): void {
    this.observer?.[Symbol.dispose]();
    for (const { reader } of this.seats) reader[Symbol.dispose]();
  }

  private async seat(index: number): Promise<void> {
    const room = index % ROOMS;
    let expected = 0;
    const onUpdate = (data: string): void => {
      const number = Number(data);
      if (number !== expected) this.faults.push(`reader ${index} got ${number} instead of ${expected}`);
      expected = number + 1;
    };
    const query = new URLSearchParams({ match: topicOf(room) }).toString();
    const reader = this.newReader(query, await subscriberToken({ subject: `reader-${index}` }), onUpdate);
    this.seats.push({ room, reader, next: () => expected });
  }

  private newReader(query: string, token: string, onUpdate: (data: string) => void): RoomReader {
    return new RoomReader({ url: this.url, query, token, onUpdate, onFault: (fault) => this.faults.push(fault) });
  }
}

/** Whether the condition holds in time. */
async function becomes(condition: () => boolean): Promise<boolean> {
  const deadline = performance.now() + PATIENCE;
  while (!condition()) {
    if (performance.now() > deadline) return false;
    // oxlint-disable-next-line no-await-in-loop -- looked at again and again
    await delay(LOOK);
  }
  return true;
}
