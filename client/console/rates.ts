/** Seconds that are remembered. */
export const SECONDS = 300;

/** Seconds of the shortest time that is worth a chart. */
const LEAST = 30;

/** Latencies that are remembered of one second. */
const MOST_LATENCIES = 200;

/** What has happened in one second. */
interface Bucket {
  live: number;
  replayed: number;
  beats: number;
  losses: number;
  readonly latencies: number[];
}

/** What a chart shows: the last seconds, oldest first, without the one that is not over yet. */
export interface Series {
  /** Seconds since the epoch. */
  readonly times: number[];
  readonly live: number[];
  readonly replayed: number[];
  /** Milliseconds, where this page has published something in that second. */
  readonly p50: (number | null)[];
  readonly p95: (number | null)[];
}

/** How much has come in each second, and how long this page's own publications took. */
export class Rates {
  private readonly buckets = new Map<number, Bucket>();

  constructor(private readonly now: () => number = Date.now) {}

  /** A message has come. */
  add(isReplayed = false): void {
    this.current[isReplayed ? 'replayed' : 'live'] += 1;
  }

  /** @param latency milliseconds, of one of this page's own publications. */
  measure(latency: number): void {
    const { latencies } = this.current;
    if (latencies.length < MOST_LATENCIES) latencies.push(latency);
  }

  /** A heartbeat has come. */
  beat(): void {
    this.current.beats += 1;
  }

  /** The connection was lost. */
  lose(): void {
    this.current.losses += 1;
  }

  /** The seconds since the epoch in which this has happened, as far as they are remembered. */
  timesOf(what: 'beats' | 'losses'): number[] {
    const oldest = this.second - SECONDS;
    return [...this.buckets].flatMap(([second, bucket]) => (second >= oldest && bucket[what] > 0 ? [second] : []));
  }

  /** Seconds since the first of which something is remembered, but at least some: as long as a chart has to be. */
  get span(): number {
    const [first = this.second] = this.buckets.keys();
    return Math.min(SECONDS, Math.max(LEAST, this.second - first));
  }

  last(seconds: number): Series {
    const end = this.second;
    const times = Array.from({ length: seconds }, (_, index) => end - seconds + index);
    const buckets = times.map((second) => this.buckets.get(second));
    return {
      times,
      live: buckets.map((bucket) => bucket?.live ?? 0),
      replayed: buckets.map((bucket) => bucket?.replayed ?? 0),
      p50: buckets.map((bucket) => percentile(bucket?.latencies ?? [], 50)),
      p95: buckets.map((bucket) => percentile(bucket?.latencies ?? [], 95)),
    };
  }

  /** A percentile of all latencies of the last seconds, in milliseconds; null where there are none. */
  latency(seconds: number, percent: number): number | null {
    const oldest = this.second - seconds;
    const recent = [...this.buckets].filter(([second]) => second >= oldest);
    return percentile(
      recent.flatMap(([, { latencies }]) => latencies),
      percent,
    );
  }

  private get second(): number {
    return Math.floor(this.now() / 1_000);
  }

  private get current(): Bucket {
    const { second } = this;
    const known = this.buckets.get(second);
    if (known) return known;
    const bucket: Bucket = { live: 0, replayed: 0, beats: 0, losses: 0, latencies: [] };
    this.buckets.set(second, bucket);
    for (const oldest of this.buckets.keys()) {
      if (oldest >= second - SECONDS) break;
      this.buckets.delete(oldest);
    }
    return bucket;
  }
}

/** The smallest value that at least so many per cent do not exceed (nearest rank). */
function percentile(values: readonly number[], percent: number): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? null;
}
