import { readFileSync } from 'node:fs';
import process from 'node:process';

/** Milliseconds between two looks. */
const INTERVAL = 500;

/** Processes above this one among which npm is looked for: there may be a shell between the two. */
const LEVELS = 3;

/**
 * Calls `ended` once the npm that has started this process is gone, if one has. npm may end without having told it, and the
 * service would go on alone, and keep the port.
 */
export function onEndOfNpm(ended: () => void, env: Readonly<Record<string, string | undefined>> = process.env): void {
  if (env['npm_lifecycle_event'] === undefined) return;
  const { ppid } = process;
  const npm = findNpm(ppid);
  const timer = setInterval(() => {
    if (process.ppid === ppid && isAlive(npm)) return;
    clearInterval(timer);
    ended();
  }, INTERVAL).unref();
}

/** The npm at or above a process; that process itself where the system does not tell in `/proc`. */
function findNpm(parent: number): number {
  let pid = parent;
  try {
    for (let level = 0; level < LEVELS; level += 1) {
      if (/\bnpm\b/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))) return pid;
      // After the name, which may have spaces and parentheses, come the state and the parent (proc(5)).
      const [, above = ''] = /.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      pid = Number(above);
    }
  } catch {
    return parent;
  }
  return parent;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
