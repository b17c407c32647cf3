import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { RepeatedLines } from '../../shared/log/repeated-lines.js';
import { IdleSockets } from './idle-sockets.js';

/**
 * Descriptors that are kept for files, for the journal, for connections to Redis, to issuers and to an application, and
 * for what else the process listens to.
 */
const RESERVE = 128;

/** Of the sockets, the share that streams leave to publishers, administrators and probes. */
const OTHERS = 0.1;

/** Of the descriptors, the share that refused streams may be held with. */
const REFUSED = 0.02;

/** How many sockets and streams there may be. */
export interface Room {
  readonly sockets: number;
  readonly streams: number;
  /** Refused streams that may be held for a while. */
  readonly heldRefusals: number;
}

/**
 * The room that the process's limit on open files leaves (`ulimit -n`), which Node has raised to what the system allows.
 * Undefined where the system does not tell the limit in `/proc`: there is none then but the system's own.
 */
export function roomForSockets(read: (path: string) => string = readText): Room | undefined {
  const files = Number(/^Max open files +(\d+)/m.exec(textOf(read))?.[1]);
  if (!Number.isSafeInteger(files)) return undefined;
  const sockets = Math.max(files - RESERVE, Math.ceil(files / 2));
  return { sockets, streams: Math.ceil(sockets * (1 - OTHERS)), heldRefusals: Math.floor(files * REFUSED) };
}

/**
 * Keeps to the room, because without a descriptor the process could do nothing else any more. Who comes when all places
 * are taken gets the one that has been idle for longest, so that a probe is answered however many connections others hold
 * for nothing. Where none is idle, the connection is refused.
 */
export function limitSockets(server: Server, sockets: number, logger: Logger): void {
  const idle = new IdleSockets(server);
  const lines = new RepeatedLines((line) => logger.warn(line));
  const remedy = 'raise the limit on open files (ulimit -n)';
  const closed = `idle connections are closed, because others need their places: ${remedy}`;
  const refused = `connections are refused, because there are too many: ${remedy}`;
  server.maxConnections = sockets;
  server.on('connection', () => {
    server.getConnections((_error, count) => {
      if (count >= sockets && idle.closeOldest()) lines.log({ msg: closed, sockets });
    });
  });
  server.on('drop', () => lines.log({ msg: refused, sockets }));
}

function readText(path: string): string {
  return readFileSync(path, 'utf8');
}

function textOf(read: (path: string) => string): string {
  try {
    return read('/proc/self/limits');
  } catch {
    return '';
  }
}
