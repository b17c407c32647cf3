import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder, projectVersion } from './installed.js';
import { startNodePeer } from './node-peer.js';
import type { Peer, RunningPeer } from './peer.js';
import { HERALD_READY_PATH, heraldEnvironment, heraldTarget } from './target-herald.js';

const SCRIPT = join(projectFolder(), 'dist/server/main.js');

export const herald: Peer = {
  name: 'herald',
  resumes: true,
  describe: () => `Herald ${projectVersion()}, memory journal, Node ${process.version}`,
  missing: () => (existsSync(SCRIPT) ? undefined : `${SCRIPT} has not been built`),
  start: async () => startHerald(),
};

/** Starts it with more variables than the comparison has, and inside another command. */
export async function startHerald(
  environment: Readonly<Record<string, string>> = {},
  wrapper: readonly string[] = [],
): Promise<RunningPeer> {
  return startNodePeer({
    script: SCRIPT,
    readyPath: HERALD_READY_PATH,
    environment: (port) => ({ ...heraldEnvironment(port), ...environment }),
    target: heraldTarget,
    wrapper,
  });
}
