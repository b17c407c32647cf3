import { setTimeout as delay } from 'node:timers/promises';
import { Edge } from '../../../support/edge.js';
import type { EdgeKind } from '../../../support/edge-kinds.js';
import { send } from '../../../support/event-stream.js';
import { HUB, publisherToken } from '../../../support/hub.js';
import { Fleet } from '../fleet.js';
import { KEEPS_ALL } from '../keeps-all.js';
import { RoomPublisher } from './room-publisher.js';
import { Rooms, ROOMS } from './rooms.js';

/** Publications a second. */
const RATE = 50;

/** Milliseconds from when a process is ready again to the end of the next one. */
const PAUSE = 2_000;

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
  const { kind, program, processes, readers } = options;
  await using fleet = await Fleet.start(Array.from({ length: processes }, () => environmentOf(options)));
  const hubs = fleet.heralds.map(({ port }) => `127.0.0.1:${port}`) as [string, ...string[]];
  await using edge = await Edge.start(kind, { program, hubs, connections: 4 * readers + 1_000 });
  using rooms = new Rooms(edge.url);
  await rooms.fill(readers);
  const publisher = new RoomPublisher({ url: edge.url, token: await publisherToken(), rooms: ROOMS, rate: RATE });
  const restarts: Restart[] = [];
  for (let index = 0; index < processes; index += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    restarts.push(await restart(fleet, index, rooms));
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await delay(PAUSE);
  }
  const { flaps } = rooms;
  await publisher.stop();
  await rooms.allHave(publisher);
  const { faults, remedies } = rooms;
  return {
    restarts,
    faults,
    published: publisher.total,
    troubles: Object.fromEntries(publisher.troubles),
    remedies,
    flaps,
  };
}

function environmentOf({ journal, window }: RollingOptions): Readonly<Record<string, string>> {
  return {
    ...KEEPS_ALL,
    HERALD_JOURNAL: journal,
    HERALD_SUBSCRIPTIONS: 'true',
    // Whoever only asks which process it is.
    HERALD_SUBSCRIPTIONS_ANONYMOUS: 'false',
    HERALD_REQUEST_LOG: 'errors',
    HERALD_DRAIN_WINDOW: `${window}ms`,
  };
}

/** Ends a process, starts it again, and waits until its readers are back, wherever. */
async function restart(fleet: Fleet, index: number, rooms: Rooms): Promise<Restart> {
  const mine = rooms.readersAt(await nameAt(fleet.urls()[index] ?? ''));
  const began = performance.now();
  await fleet.kill(index, 'SIGTERM');
  const ended = performance.now() - began;
  await fleet.revive(index);
  const ready = performance.now() - began;
  await rooms.allHere();
  const comings = mine.flatMap(({ comings: all }) => all.filter(({ at }) => at > began).slice(0, 1));
  return { readers: mine.length, ended, ready, comings: comings.map(({ at }) => at - began) };
}

/** What the process at an address calls itself, in the head of each stream. */
async function nameAt(url: string): Promise<string> {
  const response = await send(`${url}${HUB}?match=urn:nobody`, { headers: { accept: 'text/event-stream' } });
  response.destroy();
  return String(response.headers['herald-process']);
}
