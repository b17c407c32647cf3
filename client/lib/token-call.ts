/** One call of a token provider, for all that wait for it. It is aborted when nobody does any more. */
export class TokenCall {
  readonly #aborter = new AbortController();
  readonly #answer: Promise<string>;
  #waiting = 0;

  /**
   * @param isFresh whether it was begun after the hub had refused a token.
   * @param provide may throw.
   */
  constructor(
    readonly isFresh: boolean,
    provide: (signal: AbortSignal) => Promise<string>,
  ) {
    this.#answer = provide(this.#aborter.signal);
  }

  get isAborted(): boolean {
    return this.#aborter.signal.aborted;
  }

  /** @throws what the provider throws; the signal's reason. */
  wait(signal: AbortSignal): Promise<string> {
    this.#waiting += 1;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting -= 1;
        if (this.#waiting === 0) this.#aborter.abort();
        reject(signal.reason as Error);
      };
      if (signal.aborted) return leave();
      signal.addEventListener('abort', leave, { once: true });
      this.#answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }
}
