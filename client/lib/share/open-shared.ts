import type { HeraldClientOptions, Sharing } from '../api.js';
import type { StreamSettings } from '../stream.js';
import type { Source, SourceListener } from '../wire.js';
import type { Election } from './election.js';
import { LockElection } from './lock-election.js';
import { type Connect, SharedSource } from './shared-source.js';
import { subjectOf } from './subject.js';
import { WorkerElection } from './worker-election.js';

export interface OpenSharedOptions {
  readonly options: HeraldClientOptions;
  readonly settings: StreamSettings;
  readonly connect: Connect;
}

/** The version of the messages between tabs. Tabs whose libraries have different versions do not share. */
const VERSION = 3;

/** Milliseconds of a leader's silence before it is asked for a sign of life. */
const PATIENCE = 5_000;

/**
 * Opens a share of this browser's one connection; or a connection of its own where the platform has no way to share, or
 * where the subject is unknown, so that the tabs could be those of different people.
 * @throws Error when the worker, where it is needed, does not start; or what the token provider throws.
 */
export async function openShared(
  { options, settings, connect }: OpenSharedOptions,
  listener: SourceListener,
): Promise<Source> {
  const subject = await subjectOf(options);
  if (subject === undefined) return connect(listener);
  const name = `herald ${VERSION} ${settings.url} ${subject}`;
  const worker = new URL(options.workerUrl ?? '../herald/worker.js', settings.url).href;
  const election = await openElection(name, worker, options.share ?? 'auto');
  return election ? new SharedSource({ name, election, connect, patience: PATIENCE }, listener) : connect(listener);
}

async function openElection(name: string, worker: string, share: Sharing): Promise<Election | undefined> {
  // `navigator.locks` is missing on plain HTTP, although its type says otherwise.
  const locks = navigator.locks as LockManager | undefined;
  if (locks && share !== 'worker') return new LockElection(name, locks);
  if (share === 'locks' || typeof SharedWorker === 'undefined') return undefined;
  return WorkerElection.open(worker, name);
}
