/** Has asynchronous work done one after the other, in the order in which it came. */
export class Lane {
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /** How much is waiting or being done. */
  get length(): number {
    return this.waiting;
  }

  /** Resolves, or rejects, with what `work` does once its turn has come. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.waiting += 1;
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    try {
      return await result;
    } finally {
      this.waiting -= 1;
    }
  }
}
