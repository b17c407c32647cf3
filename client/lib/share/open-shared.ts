import type { HeraldClientOptions, Sharing } from '../api.js';
import type { Source, SourceListener } from '../wire.js';
import type { Connect } from './connect.js';
import type { Election } from './election.js';
import { LockElection } from './lock-election.js';
import type { Reader } from './reader.js';
import { Regrouping, type RegroupingOptions } from './regrouping.js';
import { SharedSource } from './shared-source.js';
import { WorkerElection } from './worker-election.js';

export interface OpenSharedOptions extends Pick<RegroupingOptions, 'tokens' | 'onReader' | 'onUnavailable'> {
  readonly options: HeraldClientOptions;
  /** The hub's, absolute. */
  readonly url: string;
  readonly connect: Connect;
}

/** The version of the messages between tabs. Tabs whose libraries have different versions do not share. */
const VERSION = 3;

/** Milliseconds of a leader's silence before it is asked for a sign of life. */
const PATIENCE = 5_000;

/**
 * Opens a share of this browser's one connection; or a connection of this tab's own where tabs are not to share, where
 * it is unknown who reads, so that tabs could be those of different people, or where the platform has no way to share.
 */
export function openShared({ options, url, connect, ...others }: OpenSharedOptions, listener: SourceListener): Source {
  const { share = 'auto', workerUrl = '../herald/worker.js' } = options;
  const worker = new URL(workerUrl, url).href;
  const openOwn = (own: SourceListener): Source => connect(own);
  const openShare = (reader: Reader, shared: SourceListener, onBroken: (cause: unknown) => void): Source => {
    if (share === 'none') return connect(shared);
    const name = `herald ${VERSION} ${url} ${reader.group}`;
    const election = electionBy(share, { name, worker, onBroken });
    return new SharedSource({ name, election, connect, patience: PATIENCE }, shared);
  };
  return new Regrouping({ client: options, openShare, openOwn, ...others }, listener);
}

interface ElectionOptions {
  readonly name: string;
  /** The URL of the worker file. */
  readonly worker: string;
  readonly onBroken: (cause: unknown) => void;
}

/** @throws Error where the platform has none. */
function electionBy(share: Sharing, { name, worker, onBroken }: ElectionOptions): Election {
  // `navigator.locks` is missing on plain HTTP, although its type says otherwise.
  const locks = navigator.locks as LockManager | undefined;
  if (locks && share !== 'worker') return new LockElection(name, locks, onBroken);
  if (share !== 'locks' && typeof SharedWorker !== 'undefined') return new WorkerElection(name, worker, onBroken);
  throw new Error('This page has no Web Locks, or no SharedWorker.');
}
