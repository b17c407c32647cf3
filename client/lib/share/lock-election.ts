import type { Candidate, Election } from './election.js';

/** An election by Web Locks: the browser releases the lock when the tab ends, for whatever reason. */
export class LockElection implements Election {
  readonly #name: string;
  readonly #locks: LockManager;
  #candidate: Candidate | undefined;
  /** Aborts the lock request that is under way, or releases the lock that was granted. */
  #turn: AbortController | undefined;

  constructor(name: string, locks: LockManager) {
    this.#name = name;
    this.#locks = locks;
  }

  stand(candidate: Candidate): void {
    this.#candidate = candidate;
    this.#ask(false);
  }

  seize(): void {
    if (this.#candidate) this.#ask(true);
  }

  leave(): void {
    this.#turn?.abort();
    this.#turn = undefined;
    this.#candidate = undefined;
  }

  #ask(steal: boolean): void {
    this.#turn?.abort();
    const turn = new AbortController();
    const { signal } = turn;
    this.#turn = turn;
    let wasElected = false;
    const hold = (): Promise<void> => {
      if (signal.aborted) return Promise.resolve();
      wasElected = true;
      this.#candidate?.elected();
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    };
    // A lock request takes either a signal or `steal`, not both.
    this.#locks.request(this.#name, steal ? { steal } : { signal }, hold).catch(() => {
      // This tab has aborted the request, or another one has stolen the lock.
      if (wasElected && this.#turn === turn) this.#candidate?.deposed();
    });
  }
}
