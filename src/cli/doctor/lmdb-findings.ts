import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { getuid } from 'node:process';
import { faultOfFile } from '../../storage/journal/lmdb/disk/lmdb-file.js';
import { ownerOfDirectory } from '../../storage/journal/lmdb/disk/lmdb-lock.js';
import { messageOf } from '../../shared/errors/message-of.js';
import { type Finding, finding } from './finding.js';

/** The types that Linux gives to disks of other machines, on which locks and memory maps are not to be relied on. */
const REMOTE: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
]);

const MEGABYTE = 1024 ** 2;

/** Looks at the directory of an LMDB journal, whether a process uses it or not, and leaves it as it is. */
export async function lmdbFindings(path: string, retained: number): Promise<Finding[]> {
  const directory = resolve(path);
  try {
    const made = await existing(directory);
    return [await ofDirectory(directory, made), ...(await ofDisk(made, retained)), ...ofFile(directory)];
  } catch (error) {
    return [
      finding(
        'journal',
        'fail',
        `the directory can't be used: ${messageOf(error)}`,
        'give HERALD_JOURNAL=lmdb:PATH a directory that this user may read and write',
      ),
    ];
  }
}

/** The directory, or the one in which it would be made. */
async function existing(path: string): Promise<string> {
  try {
    await access(path);
    return path;
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isMissing || dirname(path) === path) throw error;
    return existing(dirname(path));
  }
}

async function ofDirectory(directory: string, made: string): Promise<Finding> {
  await access(made, constants.R_OK | constants.W_OK | constants.X_OK);
  const { uid } = await stat(made);
  if (made !== directory) return finding('journal', 'ok', 'LMDB: the directory is not there yet, and can be made');
  const owner = await ownerOfDirectory(directory);
  if (owner) return finding('journal', 'ok', `LMDB: in use by ${owner.pid ? `process ${owner.pid}` : 'a process'}`);
  if (uid === getuid?.()) return finding('journal', 'ok', 'LMDB: the directory can be used, and no process uses it');
  return finding(
    'journal',
    'warn',
    'LMDB: the directory belongs to another user, who says who may read the updates in it',
    'let the directory belong to the user that the service runs as',
  );
}

async function ofDisk(path: string, retained: number): Promise<Finding[]> {
  const { bavail, bsize, type } = await statfs(path);
  const free = Math.floor((bavail * bsize) / MEGABYTE);
  const remote = REMOTE.get(type);
  const room =
    free * MEGABYTE >= retained
      ? finding('disk', 'ok', `${free} MiB are free`)
      : finding(
          'disk',
          'warn',
          `${free} MiB are free, and ${Math.ceil(retained / MEGABYTE)} MiB may be retained`,
          'make room, or retain less by HERALD_RETAIN_BYTES',
        );
  if (!remote) return [room];
  return [
    room,
    finding('disk', 'fail', `the directory is on ${remote}`, 'keep an LMDB journal on a disk of this machine'),
  ];
}

function ofFile(directory: string): Finding[] {
  const fault = faultOfFile(directory);
  if (fault === undefined) return [];
  return [finding('journal', 'fail', fault, `bring ${join(directory, 'data.mdb')} back from a copy, or move it away`)];
}
