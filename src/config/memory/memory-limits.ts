import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { posix } from 'node:path';
import { getHeapStatistics } from 'node:v8';

/** How much memory the process may take, in bytes. */
export interface MemoryLimits {
  /** What V8 lets the heap grow to (`--max-old-space-size`). */
  readonly heap: number;
  /** What its control groups let the process take, and at most what the machine has. */
  readonly process: number;
}

/** For figures that are to depend on no machine. */
export const NO_MEMORY_LIMITS: MemoryLimits = { heap: Infinity, process: Infinity };

/** Where systemd and container runtimes mount control groups. */
const ROOT = '/sys/fs/cgroup';

/** The limits of a group of version 2: beyond `high` it is held back until little goes on, and beyond `max` it is killed. */
const FILES = ['memory.max', 'memory.high'];

/**
 * The limits that hold for this process. Those of each group around it count as well, which
 * `process.constrainedMemory()` leaves out (https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files).
 *
 * @param read reads a file of the system, and throws where there is none.
 */
export function memoryLimits(read: (path: string) => string = (path) => readFileSync(path, 'utf8')): MemoryLimits {
  const limits = filesOf(textOf(read, '/proc/self/cgroup')).map((path) => Number.parseInt(textOf(read, path), 10));
  return {
    heap: getHeapStatistics().heap_size_limit,
    process: Math.min(totalmem(), ...limits.filter((limit) => limit > 0)),
  };
}

/** The files that may have a limit: those of the process's own group, and of all around it. */
function filesOf(groups: string): string[] {
  return [...groups.matchAll(/^\d+:([^:]*):(.*)$/gm)].flatMap(([, controllers = '', group = '']) => {
    if (controllers === '') return above(group).flatMap((path) => FILES.map((file) => posix.join(ROOT, path, file)));
    if (!controllers.split(',').includes('memory')) return [];
    return above(group).map((path) => posix.join(ROOT, 'memory', path, 'memory.limit_in_bytes'));
  });
}

/** A group and all around it. A container may see its own at the root, whatever it is called outside. */
function above(group: string): string[] {
  const path = posix.resolve('/', group);
  return path === '/' ? [path] : [path, ...above(posix.dirname(path))];
}

function textOf(read: (path: string) => string, path: string): string {
  try {
    return read(path);
  } catch {
    return '';
  }
}
