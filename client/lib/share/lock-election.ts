import type { Candidate, Election } from './election.js';

/** An election by Web Locks: the browser releases the lock when the tab ends, for whatever reason. */
export class LockElection implements Election {
  readonly #name: string;
  readonly #locks: LockManager;
  readonly #onBroken: (cause: unknown) => void;
  #candidate: Candidate | undefined;
  /** Aborts the lock request that is under way, or releases the lock that was granted. */
  #turn: AbortController | undefined;

  /** @param onBroken called when the browser refuses the page its locks, as it does in a sandboxed frame. */
  constructor(name: string, locks: LockManager, onBroken: (cause: unknown) => void) {
    this.#name = name;
    this.#locks = locks;
    this.#onBroken = onBroken;
  }

  stand(candidate: Candidate): void {
    this.#candidate = candidate;
    void this.#ask(false);
  }

  seize(): void {
    if (this.#candidate) void this.#ask(true);
  }

  leave(): void {
    this.#turn?.abort();
    this.#turn = undefined;
    this.#candidate = undefined;
  }

  async #ask(steal: boolean): Promise<void> {
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
    try {
      // A lock request takes either a signal or `steal`, not both.
      await this.#locks.request(this.#name, steal ? { steal } : { signal }, hold);
    } catch (cause) {
      // This tab has aborted the request.
      if (this.#turn !== turn) return;
      // Otherwise another tab has stolen the lock.
      if (wasElected) this.#candidate?.deposed();
      // Not at once, as whoever stands for election may not be complete yet.
      else queueMicrotask(() => this.#onBroken(cause));
    }
  }
}
