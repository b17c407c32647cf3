import type { Target } from '../load/target.js';
import { SERVER_CORE, freePort, startProgram, untilReady } from '../processes.js';
import type { RunningPeer } from './peer.js';

/** How to start a server that is one Node process. */
export interface NodePeerOptions {
  readonly script: string;
  readonly readyPath: string;
  readonly environment: (port: number) => Readonly<Record<string, string>>;
  readonly target: (port: number) => Target;
  /** A command that runs it in its own process, such as `nice`. */
  readonly wrapper?: readonly string[];
}

/** Starts the script with this Node on the server's core, in production mode, on a free port given as `PORT`. */
export async function startNodePeer(options: NodePeerOptions): Promise<RunningPeer> {
  const port = await freePort();
  const program = startProgram(SERVER_CORE, [...(options.wrapper ?? []), process.execPath, options.script], {
    env: {
      PATH: process.env['PATH'],
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      ...options.environment(port),
    },
  });
  await untilReady(program, port, options.readyPath);
  return { target: options.target(port), pids: [program.pid], stop: async () => program.stop() };
}
