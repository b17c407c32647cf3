import { watch, type Watchdog } from '../watchdog.js';
import type { Candidate, Election } from './election.js';
import type { FromWorker, ToWorker } from './worker.js';

/** Milliseconds that the worker may take to start, and be silent afterwards. It says something every second. */
const PATIENCE = 5_000;

/** This tab's way to a worker. */
interface Line {
  readonly port: MessagePort;
  readonly watchdog: Watchdog;
}

/**
 * An election by a SharedWorker, for pages without Web Locks: those on plain HTTP. The worker only says which tab
 * leads; the connection and the token stay in the tabs. Browsers run it in the process of the tab that asked for it
 * first, and it dies with that: then all tabs elect anew by another.
 */
export class WorkerElection implements Election {
  readonly #name: string;
  readonly #url: string;
  readonly #onBroken: (cause: unknown) => void;
  #candidate: Candidate | undefined;
  #line: Line | undefined;

  /**
   * @param url of the worker file.
   * @param onBroken called when the worker does not start: its file is missing, or the page may not use it.
   */
  constructor(name: string, url: string, onBroken: (cause: unknown) => void) {
    this.#name = name;
    this.#url = url;
    this.#onBroken = onBroken;
  }

  stand(candidate: Candidate): void {
    this.#candidate = candidate;
    try {
      this.#line ??= this.#open();
      this.#tell('stand');
    } catch (cause) {
      // Not at once, because whoever stands is not ready for it.
      queueMicrotask(() => this.#onBroken(cause));
    }
  }

  seize(): void {
    this.#tell('seize');
  }

  leave(): void {
    this.#candidate = undefined;
    this.#hangUp();
  }

  #open(): Line {
    const worker = new SharedWorker(trusted(this.#url), { name: this.#name });
    const { port } = worker;
    let hasStarted = false;
    const watchdog = watch(PATIENCE, () => {
      if (hasStarted) this.#openAnew();
      else this.#onBroken(new Error('The worker file of Herald did not start.'));
    });
    const line = { port, watchdog };
    worker.addEventListener('error', () => {
      if (this.#line === line) this.#onBroken(new Error('The worker file of Herald can not be loaded.'));
    });
    port.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      hasStarted = true;
      watchdog.feed();
      if (this.#line === line) this.#heed(data);
    });
    port.start();
    return line;
  }

  #heed(message: FromWorker): void {
    if (message === 'ping') this.#tell('pong');
    else if (message === 'elected') this.#candidate?.elected();
    else if (message === 'deposed') this.#candidate?.deposed();
  }

  /** The worker is gone, and with it what it knew: also a leader is none any more, until it is elected again. */
  #openAnew(): void {
    this.#hangUp();
    this.#candidate?.deposed();
  }

  #hangUp(): void {
    this.#tell('leave');
    this.#line?.watchdog.stop();
    this.#line?.port.close();
    this.#line = undefined;
  }

  #tell(message: ToWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has none
    this.#line?.port.postMessage(message);
  }
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** Pages that require Trusted Types take a script's URL from a policy only: this one is called `herald`. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (!trustedTypes) return url;
  policy ??= trustedTypes.createPolicy('herald', { createScriptURL: (given) => given });
  return policy.createScriptURL(url);
}
