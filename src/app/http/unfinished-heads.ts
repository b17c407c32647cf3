import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { getHeapStatistics } from 'node:v8';
import type { Logger } from 'pino';
import { RepeatedLines } from '../../shared/log/repeated-lines.js';

/** Milliseconds between two looks. A head that comes in one piece is never seen by two of them. */
const LOOK_EVERY = 1_000;

/** Node's parser of a connection: it holds what has come of a head, and then has the request. */
interface Parser {
  readonly incoming: object | null;
  readonly socket: Socket | null;
}

/** Node's list of the connections of HTTP/1.1 on which a request is under way. */
interface Connections {
  active(): readonly Parser[];
}

/**
 * Bounds what connections hold of heads that come bit by bit: beyond it those that have been at it for longest are cut.
 * Node tells which connections those are only in a list of its own, which is not documented. Without it the time that
 * Node gives to a head, a minute, is the only bound.
 *
 * @param most bytes of all unfinished heads together. Default: an eighth of what V8 lets the heap grow to.
 */
export function boundHeads(
  server: Server,
  logger: Logger,
  most = Math.floor(getHeapStatistics().heap_size_limit / 8),
): void {
  const lines = new RepeatedLines((line) => logger.warn(line));
  let before = new Set<Socket>();
  const look = (): void => {
    const now = unfinished(server);
    const slow = now.filter((socket) => before.has(socket));
    before = new Set(now);
    let held = slow.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    if (held <= most) return;
    for (const socket of slow) {
      if (held <= most) break;
      held -= socket.bytesRead;
      socket.destroy();
    }
    lines.log({ msg: 'connections are cut: too many bring the heads of their requests bit by bit' });
  };
  const timer = setInterval(look, LOOK_EVERY).unref();
  server.once('close', () => clearInterval(timer));
}

/** The connections on which a head has begun and is not over, those first on which it began first. */
function unfinished(server: Server): Socket[] {
  const name = Object.getOwnPropertySymbols(server).find(
    ({ description }) => description === 'http.server.connections',
  );
  const connections = name && (server as unknown as Record<symbol, Partial<Connections> | undefined>)[name];
  return (connections?.active?.() ?? []).flatMap(({ incoming, socket }) => (incoming || !socket ? [] : [socket]));
}
