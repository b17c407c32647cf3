import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

/** CPU seconds (user and system, all threads) that the processes have used so far. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce(
    (sum, pid) => sum + (canCountNanoseconds ? nanoseconds(pid) / 1e9 : cpuTicks(pid) / TICKS_PER_SECOND),
    0,
  );
}

/** Resident memory of the processes in bytes, as the kernel accounts it now. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return sum + Number(kibibytes ?? Number.NaN) * 1024;
  }, 0);
}

/** What one piece of work cost. */
export interface Cost {
  readonly serverCpuSeconds: number;
  readonly loadCpuSeconds: number;
  readonly wallSeconds: number;
  /** How much of one core, in percent, anything else on the machine took meanwhile: figures suffer from it. */
  readonly othersPercent: number;
}

/**
 * Runs the work and tells what it cost the server's processes and the load generator's.
 *
 * @param companions processes that take part as well, and so disturb nothing.
 */
export async function costOf<Result>(
  serverPids: readonly number[],
  loadPid: number,
  work: () => Promise<Result>,
  companions: readonly number[] = [],
): Promise<Cost & { readonly result: Result }> {
  const begin = performance.now();
  const machineBefore = machineBusySeconds();
  const ownBefore = cpuSeconds([process.pid, ...companions]);
  const serverBefore = cpuSeconds(serverPids);
  const loadBefore = cpuSeconds([loadPid]);
  const result = await work();
  const serverCpuSeconds = cpuSeconds(serverPids) - serverBefore;
  const loadCpuSeconds = cpuSeconds([loadPid]) - loadBefore;
  const wallSeconds = (performance.now() - begin) / 1000;
  const benchmark = serverCpuSeconds + loadCpuSeconds + cpuSeconds([process.pid, ...companions]) - ownBefore;
  const others = Math.max(0, machineBusySeconds() - machineBefore - benchmark);
  return { result, serverCpuSeconds, loadCpuSeconds, wallSeconds, othersPercent: (100 * others) / wallSeconds };
}

/** What the kernel holds for the server's connections that their readers have not taken. */
export interface UnsentBytes {
  /** Connections with more than 64 KiB waiting. */
  readonly connections: number;
  readonly bytes: number;
}

/** Reads it from the kernel's table of TCP connections: a stalled reader shows there, whatever the server says. */
export function unsentBytes(port: number): UnsentBytes {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const waiting = ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap((path) => readFileSync(path, 'utf8').split('\n'))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(local))
    .map((fields) => Number.parseInt(fields[4]?.split(':')[0] ?? '0', 16))
    .filter((bytes) => bytes > 64 * 1024);
  return { connections: waiting.length, bytes: waiting.reduce((sum, bytes) => sum + bytes, 0) };
}

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** A tick is 10 milliseconds, and 3 % of a short window; some kernels count nanoseconds as well. */
const canCountNanoseconds = existsSync('/proc/self/schedstat');

/** The time that each thread has been on a core. It lacks what threads have used that have ended: servers keep theirs. */
function nanoseconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    const [onCore] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1);
    return sum + Number(onCore);
  }, 0);
}

/** Fields 14 and 15 of proc_pid_stat(5); the second field may hold spaces and parentheses. */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** What all cores have done so far, and what the host took from them (proc_stat(5): all but idle and waiting for disks). */
function machineBusySeconds(): number {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/).slice(1).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}
