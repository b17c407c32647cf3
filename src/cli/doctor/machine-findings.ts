import { readFile } from 'node:fs/promises';
import { type Finding, finding } from './finding.js';

/** Descriptors below which a hub of some size has too few. */
const FEW = 4_096;

/** Of the descriptors, what the service keeps for other things than sockets, and the share of sockets that streams get. */
const RESERVE = 128;
const STREAMS = 0.9;

/** Connections that the service lets wait to be accepted, where the kernel allows as many. */
const BACKLOG = 4_096;

/** Looks at what this machine allows a process that is started here. */
export async function machineFindings(): Promise<Finding[]> {
  const [limits, somaxconn] = await Promise.all(['/proc/self/limits', '/proc/sys/net/core/somaxconn'].map(read));
  const files = Number(/^Max open files +(\d+)/m.exec(limits ?? '')?.[1]);
  return [
    ...(Number.isSafeInteger(files) ? [ofDescriptors(files)] : []),
    ...(somaxconn === undefined ? [] : [ofBacklog(Number(somaxconn))]),
  ];
}

function ofDescriptors(files: number): Finding {
  const streams = Math.floor(Math.max(files - RESERVE, files / 2) * STREAMS);
  const seen = `${files} open files are allowed: room for about ${streams} streams`;
  return files < FEW
    ? finding('descriptors', 'warn', seen, 'raise the limit (ulimit -n, or LimitNOFILE= of systemd)')
    : finding('descriptors', 'ok', seen);
}

function ofBacklog(most: number): Finding {
  const seen = `${most} connections may wait to be accepted`;
  const change = `set the sysctl net.core.somaxconn to ${BACKLOG}, for crowds that come back at once`;
  return most < BACKLOG ? finding('backlog', 'warn', seen, change) : finding('backlog', 'ok', seen);
}

async function read(path: string): Promise<string | undefined> {
  // Only Linux has these files.
  return readFile(path, 'utf8').catch(() => undefined);
}
