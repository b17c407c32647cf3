/** Ids that are remembered. Each has at most 255 characters. */
const MOST = 1_000;

/** The ids of updates that were last taken out of the log by this process, so that whoever looks for one is told. */
export class RemovedIds {
  private readonly ids = new Map<string, number>();

  note(ids: readonly string[]): void {
    for (const id of ids) {
      this.ids.delete(id);
      this.ids.set(id, Date.now());
    }
    for (const id of this.ids.keys()) {
      if (this.ids.size <= MOST) return;
      this.ids.delete(id);
    }
  }

  /** When it was taken out, in milliseconds since the epoch; undefined where it was not, or long ago. */
  when(id: string): number | undefined {
    return this.ids.get(id);
  }
}
