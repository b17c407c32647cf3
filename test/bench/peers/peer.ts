import type { Target } from '../load/target.js';

export type PeerName = 'herald' | 'nest' | 'better-sse' | 'nchan';

/** One server under test. */
export interface Peer {
  readonly name: PeerName;
  /** What it is, for the report's head, with its versions. */
  describe(): string;
  /** Why it cannot be measured on this machine, or nothing. */
  missing(): string | undefined;
  /** It sends what a reader missed, by `Last-Event-ID`. */
  readonly resumes: boolean;
  /** Starts a fresh server on the server's core and resolves when it is ready. */
  start(): Promise<RunningPeer>;
}

export interface RunningPeer {
  readonly target: Target;
  /** The processes whose CPU and memory count. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}
