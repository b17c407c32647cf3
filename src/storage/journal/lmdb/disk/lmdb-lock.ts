import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { pid } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../../../shared/errors/message-of.js';
import { JournalOpenError } from '../../journal.js';
import { makePrivate } from './private-files.js';

const OWNER = /^owner-[0-9a-f]{16}\.sock$/;

/**
 * How often the lock is tried: two processes that start at the same moment may each see the other, and then both step
 * back and try again.
 */
const ATTEMPTS = 3;

/** Milliseconds to wait for the process id of the owner, which only the error message needs. */
const PATIENCE = 500;

/** The longest path of a socket, in bytes (`sun_path` of macOS, the shortest there is). */
const LONGEST_SOCKET_PATH = 103;

/**
 * Reserves a directory for one process, because LMDB itself would let several in.
 *
 * The owner listens on a Unix socket in the directory, which the kernel closes when the process dies, however it dies.
 * A process that wants the directory first listens on a socket of its own, under a name that nobody else uses, and only
 * then looks at the others: of two that come together, at least one sees the other. A socket that nobody listens on any
 * more is removed. This works across containers that share a volume, where process ids, and locks that go by them, do
 * not.
 */
export class DirectoryLock {
  private constructor(
    private readonly path: string,
    private readonly server: Server,
    private readonly directory: FileHandle,
  ) {}

  /**
   * Takes the lock, creates the directory if there is none, and makes it this user's alone.
   * @throws {JournalOpenError} when another process, or this one, has the directory already, or it can't be used.
   */
  static async take(directoryPath: string): Promise<DirectoryLock> {
    const path = resolve(directoryPath);
    const directory = await openDirectory(path);
    try {
      await makePrivate(path, directory);
      return await DirectoryLock.takeOpened(path, directory);
    } catch (error) {
      await directory.close();
      throw asOpenError(path, error);
    }
  }

  private static async takeOpened(path: string, directory: FileHandle, attempts = ATTEMPTS): Promise<DirectoryLock> {
    const name = `owner-${randomBytes(8).toString('hex')}.sock`;
    const server = createServer((socket) => socket.on('error', () => undefined).end(String(pid)));
    // Without `exclusive`, the workers of a Node cluster would share the socket.
    server.listen({ path: socketPath(path, directory, name), exclusive: true }).unref();
    await once(server, 'listening');
    const other = await findOther(path, directory, name);
    if (!other) return new DirectoryLock(path, server, directory);
    await closed(server);
    if (attempts === 1) throw inUse(path, other);
    await delay(20 + Math.random() * 80);
    return DirectoryLock.takeOpened(path, directory, attempts - 1);
  }

  /** Lets a server listen on a socket in the directory, under a name that is the owner's. It has to be closed first. */
  async listen(server: Server, name: string): Promise<void> {
    await rm(join(this.path, name), { force: true });
    server.listen({ path: socketPath(this.path, this.directory, name), exclusive: true }).unref();
    await once(server, 'listening');
  }

  async release(): Promise<void> {
    await closed(this.server);
    await this.directory.close();
  }
}

/**
 * The process that has the directory at the moment, as far as it says which; undefined when none has. Nothing in the
 * directory is changed.
 * @throws when the directory can't be read.
 */
export async function ownerOfDirectory(directoryPath: string): Promise<Owner | undefined> {
  const path = resolve(directoryPath);
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const names = (await readdir(path)).filter((name) => OWNER.test(name));
    const owners = await Promise.all(names.map((name) => ownerOf(socketPath(path, directory, name))));
    return owners.find((owner) => owner !== undefined);
  } finally {
    await directory.close();
  }
}

/**
 * Connects to the socket of this name in a directory; undefined when nobody listens on it.
 * @throws when the directory can't be read, or the socket is another user's.
 */
export async function connectWithin(directoryPath: string, name: string): Promise<Socket | undefined> {
  const path = resolve(directoryPath);
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  const socket = connect(socketPath(path, directory, name));
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    if (isError(error, 'ECONNREFUSED', 'ENOENT')) return undefined;
    throw error;
  } finally {
    await directory.close();
  }
}

async function openDirectory(path: string): Promise<FileHandle> {
  try {
    const firstMade = await mkdir(path, { recursive: true });
    // A new directory is durable only once its parent has been synced.
    if (firstMade) await syncDirectories(path, dirname(firstMade));
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw asOpenError(path, error);
  }
}

/** Writes directories to the disk, from `path` up to `top`. */
export async function syncDirectories(path: string, top = path): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  if (path !== top && path !== dirname(path)) await syncDirectories(dirname(path), top);
}

function asOpenError(path: string, error: unknown): JournalOpenError {
  if (error instanceof JournalOpenError) return error;
  const reason = messageOf(error);
  return new JournalOpenError(
    `The journal needs a directory at ${path} that this process may write to, on a disk of this machine: ${reason}`,
    { cause: error },
  );
}

interface Owner {
  readonly pid: string | undefined;
}

/** Another process that holds the directory, if there is one. */
async function findOther(path: string, directory: FileHandle, mine: string): Promise<Owner | undefined> {
  const names = (await readdir(path)).filter((name) => OWNER.test(name) && name !== mine);
  const owners = await Promise.all(
    names.map(async (name) => {
      const owner = await ownerOf(socketPath(path, directory, name));
      if (!owner) await rm(join(path, name), { force: true });
      return owner;
    }),
  );
  return owners.find((owner) => owner !== undefined);
}

/** The process that listens on the socket; undefined when none does. */
async function ownerOf(path: string): Promise<Owner | undefined> {
  const socket = connect(path).on('error', () => undefined);
  try {
    await once(socket, 'connect');
  } catch (error) {
    // Any other failure, such as one of permissions, does not say that nobody is there.
    return isError(error, 'ECONNREFUSED', 'ENOENT') ? undefined : { pid: undefined };
  }
  return { pid: await firstText(socket) };
}

/**
 * The process id that the owner sends; undefined when the owner hangs: then it does not answer, but has the directory.
 */
async function firstText(socket: Socket): Promise<string | undefined> {
  try {
    const [bytes] = (await once(socket, 'data', { signal: AbortSignal.timeout(PATIENCE) })) as [Buffer];
    return /^\d{1,10}$/.exec(bytes.toString('latin1'))?.[0];
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/**
 * The path of a socket. If it is too long, Linux's short name of the open directory is used in place of the directory's
 * path.
 */
function socketPath(path: string, directory: FileHandle, name: string): string {
  const full = join(path, name);
  if (Buffer.byteLength(full) <= LONGEST_SOCKET_PATH) return full;
  return `/proc/self/fd/${directory.fd}/${name}`;
}

/** Resolves once the server has closed. Its connections have to end by themselves. */
export async function closed(server: Server): Promise<void> {
  const isClosed = once(server, 'close');
  server.close();
  await isClosed;
}

function inUse(path: string, other: Owner): JournalOpenError {
  const who = other.pid === undefined ? 'Another process' : `Process ${other.pid}`;
  return new JournalOpenError(`${who} uses the journal at ${path} already: stop it first, or choose another path.`);
}

function isError(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
