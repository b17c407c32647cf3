/** Milliseconds that something may take before the test gives up on it. */
const PATIENCE = 20_000;

/** Conditions that become true by themselves, and those who wait for them. */
export class Waiting {
  private readonly looks = new Set<() => void>();

  /** Resolves with what `find` finds, as soon as it finds something; rejects after a long while with `what` is missing. */
  for<T>(what: () => string, find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        this.looks.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.looks.delete(look);
        reject(new Error(`waited too long for ${what()}`));
      }, PATIENCE);
      this.looks.add(look);
      look();
    });
  }

  /** Something has changed. */
  wakeUp(): void {
    for (const look of this.looks) look();
  }
}
