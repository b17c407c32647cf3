import type { Candidate, Election } from './election.js';
import type { FromWorker, ToWorker } from './worker.js';

/** Milliseconds that the worker may take to start. */
const PATIENCE = 5_000;

/**
 * An election by a SharedWorker, for pages without Web Locks: those on plain HTTP. The worker only says which tab
 * leads; the connection and the token stay in the tabs.
 */
export class WorkerElection implements Election {
  readonly #port: MessagePort;
  #candidate: Candidate | undefined;

  private constructor(port: MessagePort) {
    this.#port = port;

    port.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (data === 'ping') this.#tell('pong');
      else if (data === 'elected') this.#candidate?.elected();
      else if (data === 'deposed') this.#candidate?.deposed();
    });
  }

  /** @throws Error when the worker does not start: its file is missing, or the page may not use it. */
  static async open(url: string, name: string): Promise<WorkerElection> {
    const worker = new SharedWorker(trusted(url), { name });
    const { port } = worker;
    await new Promise<void>((resolve, reject) => {
      const fail = (): void => reject(new Error('the worker file of Herald did not start'));
      const timer = setTimeout(fail, PATIENCE);
      worker.addEventListener('error', fail);
      port.addEventListener('message', () => {
        clearTimeout(timer);
        resolve();
      });
      port.start();
    });
    return new WorkerElection(port);
  }

  stand(candidate: Candidate): void {
    this.#candidate = candidate;
    this.#tell('stand');
  }

  seize(): void {
    this.#tell('seize');
  }

  leave(): void {
    this.#candidate = undefined;
    this.#tell('leave');
  }

  #tell(message: ToWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port has none
    this.#port.postMessage(message);
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
