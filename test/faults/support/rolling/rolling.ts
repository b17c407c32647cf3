import { setTimeout as delay } from 'node:timers/promises';
import { Edge } from '../../../support/edge.js';
import type { EdgeKind } from '../../../support/edge-kinds.js';
import { send } from '../../../support/event-stream.js';
import { HUB, publisherToken, subscriberToken } from '../../../support/hub.js';
import { Fleet } from '../fleet.js';
import { KEEPS_ALL } from '../keeps-all.js';
import { RoomPublisher, topicOf } from './room-publisher.js';
import { type Coming, RoomReader } from './room-reader.js';

const ROOMS = 50;

/** Publications a second. */
const RATE = 50;

/** Milliseconds that something may take before the run gives up on it, and between two looks. */
const PATIENCE = 60_000;
const LOOK = 50;

/** Milliseconds from when a process is ready again to the end of the next one. */
const PAUSE = 2_000;

/** Readers that come in one go. */
const GROUP = 50;

/** Who is subscribed, as the hub tells it to whoever may know. */
const PRESENCE = new URLSearchParams({ match_urlpattern: `${HUB}/subscriptions{/*}?` }).toString();

export interface RollingOptions {
  readonly kind: EdgeKind;
  readonly program: string;
  readonly journal: string;
  readonly processes: number;
  readonly readers: number;
  /** Milliseconds over which a process lets go of its readers. */
  readonly window: number;
}

/** One process that was ended, and started again. */
export interface Restart {
  /** Readers that it had. */
  readonly readers: number;
  /** Milliseconds from the signal to the end of the process, and to when it was ready again. */
  readonly ended: number;
  readonly ready: number;
  /** When its readers came back, in milliseconds after the signal. */
  readonly comings: readonly number[];
}

export interface Rolled {
  readonly restarts: readonly Restart[];
  /** What was wrong. */
  readonly faults: readonly string[];
  readonly published: number;
  /** What publishers got instead of an acknowledgement, by how often. */
  readonly troubles: Readonly<Record<string, number>>;
  /** How often a reader was told by a proxy that the hub is away. */
  readonly remedies: number;
  /** How many comings and goings were told meanwhile, of people who never meant to leave. */
  readonly flaps: number;
}

/** Ends all processes of a hub one after the other, and starts each again, behind a proxy, while it is in use. */
export async function roll(options: RollingOptions): Promise<Rolled> {
  const { kind, program, journal, processes, readers: count, window } = options;
  const env = {
    ...KEEPS_ALL,
    HERALD_JOURNAL: journal,
    HERALD_SUBSCRIPTIONS: 'true',
    // Whoever only asks which process it is.
    HERALD_SUBSCRIPTIONS_ANONYMOUS: 'false',
    HERALD_REQUEST_LOG: 'errors',
    HERALD_DRAIN_WINDOW: `${window}ms`,
  };
  await using fleet = await Fleet.start(Array.from({ length: processes }, () => env));
  const hubs = fleet.heralds.map(({ port }) => `127.0.0.1:${port}`) as [string, ...string[]];
  await using edge = await Edge.start(kind, { program, hubs, connections: 4 * count + 1_000 });
  const faults: string[] = [];
  const onFault = (fault: string): void => void faults.push(fault);
  using everybody = new Everybody();
  const readers: { readonly room: number; readonly reader: RoomReader; readonly next: () => number }[] = [];
  let flaps = 0;
  const observer = everybody.add(
    new RoomReader({
      url: edge.url,
      query: PRESENCE,
      token: await subscriberToken({ subject: 'observer' }),
      onUpdate: () => (flaps += 1),
      onFault,
    }),
  );
  for (let index = 0; index < count; index += 1) {
    const room = index % ROOMS;
    let expected = 0;
    const onUpdate = (data: string): void => {
      const number = Number(data);
      if (number !== expected) onFault(`reader ${index} of room ${room} got ${number} instead of ${expected}`);
      expected = number + 1;
    };
    const token = await subscriberToken({ subject: `reader-${index}` });
    const query = new URLSearchParams({ match: topicOf(room) }).toString();
    const reader = everybody.add(new RoomReader({ url: edge.url, query, token, onUpdate, onFault }));
    readers.push({ room, reader, next: () => expected });
    if (index % GROUP === GROUP - 1) await until(() => readers.every((one) => one.reader.at !== ''));
  }
  await until(() => observer.at !== '' && readers.every(({ reader }) => reader.at !== ''));
  const publisher = new RoomPublisher({ url: edge.url, token: await publisherToken(), rooms: ROOMS, rate: RATE });
  // Until everybody has been told of everybody.
  for (let before = -1; before !== flaps; await delay(2_000)) before = flaps;
  flaps = 0;

  const restarts: Restart[] = [];
  for (let index = 0; index < processes; index += 1) {
    const began = performance.now();
    const name = await nameOf(fleet, index, readers[0]?.reader.at);
    const mine = readers.filter(({ reader }) => reader.at === name);
    await fleet.kill(index, 'SIGTERM').then(() => undefined);
    const ended = performance.now() - began;
    await fleet.revive(index);
    const ready = performance.now() - began;
    await until(() => observer.at !== '' && readers.every(({ reader }) => reader.at !== ''));
    const back = mine.flatMap(({ reader }) => firstAfter(reader.comings, began));
    restarts.push({ readers: mine.length, ended, ready, comings: back.map(({ at }) => at - began) });
    await delay(PAUSE);
  }
  const flapped = flaps;
  await publisher.stop();
  await until(() => readers.every(({ room, next }) => next() === publisher.publishedTo(room))).catch(() => {
    const lacking = readers.filter(({ room, next }) => next() !== publisher.publishedTo(room));
    onFault(`${lacking.length} readers lack what was published last`);
  });
  return {
    restarts,
    faults,
    published: publisher.total,
    troubles: Object.fromEntries(publisher.troubles),
    remedies: readers.reduce((sum, { reader }) => sum + reader.remedies, 0),
    flaps: flapped,
  };
}

/** All readers, who leave together. */
class Everybody implements Disposable {
  private readonly readers: RoomReader[] = [];

  add(reader: RoomReader): RoomReader {
    this.readers.push(reader);
    return reader;
  }

  [Symbol.dispose](): void {
    for (const reader of this.readers) reader[Symbol.dispose]();
  }
}

function firstAfter(comings: readonly Coming[], time: number): Coming[] {
  return comings.filter(({ at }) => at > time).slice(0, 1);
}

/** What a process calls itself in the heads of its streams. */
async function nameOf(fleet: Fleet, index: number, fallback = ''): Promise<string> {
  const response = await send(`${fleet.urls()[index]}${HUB}?match=urn:nobody`, {
    headers: { accept: 'text/event-stream' },
  });
  const name = response.headers['herald-process'];
  response.destroy();
  return typeof name === 'string' ? name : fallback;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('waited in vain');
    await delay(LOOK);
  }
}
