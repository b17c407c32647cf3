/** Seconds that are remembered. */
export const SECONDS = 300;

/** Messages of each second, and the longest latency in it. */
export class Rates {
  private readonly counts = new Map<number, number>();
  private readonly latencies = new Map<number, number>();
  /** How often the connection was lost. */
  private readonly losses = new Map<number, number>();

  constructor(private readonly now: () => number = Date.now) {}

  /** A message has come. */
  add(): void {
    this.note(this.counts, (before) => before + 1);
  }

  /** @param latency milliseconds, of one of this page's own publications. */
  measure(latency: number): void {
    this.note(this.latencies, (before) => Math.max(latency, before));
  }

  /** The connection was lost. */
  lose(): void {
    this.note(this.losses, (before) => before + 1);
  }

  /** The seconds since the epoch in which the connection was lost, as far as they are remembered. */
  lossTimes(): number[] {
    const oldest = Math.floor(this.now() / 1_000) - SECONDS;
    return [...this.losses.keys()].filter((second) => second >= oldest);
  }

  /** The last `seconds`, oldest first, without the one that is not over yet. */
  last(seconds: number): { times: number[]; counts: number[]; latencies: (number | null)[] } {
    const end = Math.floor(this.now() / 1_000);
    const times = Array.from({ length: seconds }, (_, index) => end - seconds + index);
    return {
      times,
      counts: times.map((second) => this.counts.get(second) ?? 0),
      latencies: times.map((second) => this.latencies.get(second) ?? null),
    };
  }

  private note(map: Map<number, number>, change: (before: number) => number): void {
    const second = Math.floor(this.now() / 1_000);
    map.set(second, change(map.get(second) ?? 0));
    for (const oldest of map.keys()) {
      if (oldest >= second - SECONDS) return;
      map.delete(oldest);
    }
  }
}
