import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder, projectVersion } from './installed.js';
import { startNodePeer } from './node-peer.js';
import type { Peer, RunningPeer } from './peer.js';
import { HERALD_READY_PATH, heraldEnvironment, heraldTarget } from './target-herald.js';

export const herald = heraldBuiltIn(projectFolder());

/** The Herald that was built in a folder, which may be another commit's. */
export function heraldBuiltIn(folder: string): Peer {
  const script = scriptIn(folder);
  return {
    name: 'herald',
    resumes: true,
    describe: () => `Herald ${projectVersion()}, memory journal, Node ${process.version}`,
    missing: () => (existsSync(script) ? undefined : `${script} has not been built`),
    start: async () => startScript(script),
  };
}

/** Starts this tree's Herald with more variables than the comparison has, and inside another command. */
export async function startHerald(
  environment: Readonly<Record<string, string>> = {},
  wrapper: readonly string[] = [],
): Promise<RunningPeer> {
  return startScript(scriptIn(projectFolder()), environment, wrapper);
}

/** Another commit may not know each of the variables; Herald ignores those. */
async function startScript(
  script: string,
  environment: Readonly<Record<string, string>> = {},
  wrapper: readonly string[] = [],
): Promise<RunningPeer> {
  return startNodePeer({
    script,
    readyPath: HERALD_READY_PATH,
    environment: (port) => ({ ...heraldEnvironment(port), ...environment }),
    target: heraldTarget,
    wrapper,
  });
}

function scriptIn(folder: string): string {
  return join(folder, 'dist/server/main.js');
}
