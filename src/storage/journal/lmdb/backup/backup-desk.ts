import { createServer, type Server, type Socket } from 'node:net';
import { messageOf } from '../../../../shared/errors/message-of.js';
import { JournalUnavailableError } from '../../journal.js';
import { closed, type DirectoryLock } from '../disk/lmdb-lock.js';
import { lineOf, PATIENCE, SOCKET } from './backup-talk.js';
import type { Hold } from './hold.js';

/** Connections at a time. One of them gets something. */
const MOST = 4;

/**
 * Where a running service lets others copy its files: `herald journal backup` asks, and the files are held until it has
 * them. The other process does not open them with LMDB, whose table of readers goes by process ids, which two containers
 * may have in common; and whatever becomes of it, the kernel closes its socket, which ends the hold.
 */
export class BackupDesk {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly waiting: ((hold: Hold | Promise<never>) => void)[] = [];

  /** @param wake sees to it that {@link serve} is called soon. */
  constructor(
    private readonly files: { hold(): Hold },
    private readonly wake: () => void,
  ) {
    this.server = createServer({ allowHalfOpen: true }, (socket) => void this.welcome(socket));
    this.server.maxConnections = MOST;
  }

  listen(lock: DirectoryLock): Promise<void> {
    return lock.listen(this.server, SOCKET);
  }

  /** Whether somebody waits for the files to be held. */
  get isAsked(): boolean {
    return this.waiting.length > 0;
  }

  /** To be called while no commit is under way. */
  serve(): void {
    for (const resolve of this.waiting.splice(0)) {
      try {
        resolve(this.files.hold());
      } catch (error) {
        resolve(Promise.reject(error));
      }
    }
  }

  /** Ends all connections. To be called when what is held has been let go of. */
  async close(): Promise<void> {
    for (const resolve of this.waiting.splice(0)) resolve(Promise.reject(new JournalUnavailableError('It is closed.')));
    const isClosed = closed(this.server);
    // The last line goes out first: the file is closed when it has.
    for (const socket of this.sockets) socket.destroySoon();
    await isClosed;
  }

  private async welcome(socket: Socket): Promise<void> {
    this.sockets.add(socket);
    let hold: Hold | undefined;
    socket
      .on('error', () => undefined)
      .on('close', () => {
        this.sockets.delete(socket);
        hold?.end('the backup has ended');
      })
      .setTimeout(PATIENCE, () => socket.destroy());
    try {
      hold = await new Promise<Hold>((resolve) => {
        this.waiting.push(resolve);
        this.wake();
      });
      if (socket.destroyed) hold.end('the backup has ended');
      else lendTo(socket, hold);
    } catch (error) {
      socket.end(lineOf({ failure: `${messageOf(error)}.` }));
    }
  }
}

/** Tells a client where the files are held, and at the end whether they were held until then. */
function lendTo(socket: Socket, hold: Hold): void {
  const { pages, length } = hold.head;
  const fail = (): void => void socket.end(lineOf({ failure: `${messageOf(hold.ended.reason)}.` }));
  hold.ended.addEventListener('abort', fail);
  socket.on('end', () => {
    if (hold.ended.aborted) return;
    hold.ended.removeEventListener('abort', fail);
    hold.end('the backup is done');
    socket.end(lineOf({ isWhole: true }));
  });
  socket.write(lineOf({ head: pages.toString('base64'), length }));
  // Its bytes say that it is alive, and nothing else.
  socket.resume();
}
