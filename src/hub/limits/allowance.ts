/** How much somebody may do in a second; 0 is no limit. */
export interface Rate {
  readonly updates: number;
  readonly bytes: number;
}

/** A second's worth of a rate, or of several seconds, which fills again as time goes by (a token bucket). */
export class Allowance {
  private updates: number;
  private bytes: number;

  /** @param seconds how many seconds' worth it holds at most. */
  constructor(
    private readonly rate: Rate,
    private filledAt: number,
    private readonly seconds = 1,
  ) {
    this.updates = seconds * rate.updates;
    this.bytes = seconds * rate.bytes;
  }

  /** Whether there is room. An update that is larger than all that it holds needs all of it. */
  has(bytes: number, now: number): boolean {
    this.fill(now);
    const { rate } = this;
    const hasUpdate = rate.updates === 0 || this.updates >= 1;
    return hasUpdate && (rate.bytes === 0 || this.bytes >= Math.min(bytes, this.seconds * rate.bytes));
  }

  take(bytes: number): void {
    this.updates -= 1;
    this.bytes -= bytes;
  }

  private fill(now: number): void {
    const { rate, seconds } = this;
    const passed = (now - this.filledAt) / 1_000;
    this.filledAt = now;
    this.updates = Math.min(seconds * rate.updates, this.updates + passed * rate.updates);
    this.bytes = Math.min(seconds * rate.bytes, this.bytes + passed * rate.bytes);
  }
}
