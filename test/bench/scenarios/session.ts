import { LoadProcess } from '../load/load-process.js';
import type { Watch, WatchOptions } from '../load/tally.js';
import type { Peer, RunningPeer } from '../peers/peer.js';

/** A fresh server and a fresh load generator, for one measurement. */
export interface Session {
  readonly server: RunningPeer;
  readonly load: LoadProcess;
}

/** Starts both, does the work and stops both, also when it fails. */
export async function withSession<Result>(
  peer: Pick<Peer, 'start'>,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const server = await peer.start();
  try {
    const load = await LoadProcess.start(server.target);
    try {
      return await work({ server, load });
    } finally {
      await load.stop();
    }
  } finally {
    await server.stop();
  }
}

/** So many connections are on their way at once when nothing is measured by it. */
const CALM_OPENING = 200;
const SETTLE_SECONDS = 30;

/** Opens readers, gently. */
export async function openReaders(load: LoadProcess, readers: number, topics = 1): Promise<void> {
  await load.tell('open', { readers, topics, atOnce: CALM_OPENING });
}

/** Counts anew from here. */
export async function startWatch(load: LoadProcess, watch: Watch, options: Partial<WatchOptions> = {}): Promise<void> {
  await load.tell('watch', { watch, readers: 0, publishers: 1, ignoreEvery: 0, ...options });
}

/** Waits for deliveries since the watch was started, and tells how many came. */
export async function settled(load: LoadProcess, events: number): Promise<number> {
  const { received } = await load.tell('settle', { events, maxSeconds: SETTLE_SECONDS });
  return received;
}

/** Waits for deliveries and throws when not all came. */
export async function allSettled(load: LoadProcess, events: number): Promise<void> {
  const { received, ended } = await load.tell('settle', { events, maxSeconds: SETTLE_SECONDS });
  if (received !== events) {
    throw new Error(`${received} of ${events} deliveries came, and ${ended} connections have ended`);
  }
}
