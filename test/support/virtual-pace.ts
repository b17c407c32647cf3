import { setImmediate as turn } from 'node:timers/promises';
import type { Pace } from '../../src/streams/drain/evenly.js';

/** Turns of the event loop after which all that is due has been done. */
const TURNS = 8;

/** A clock that goes on when it is told to. */
export class VirtualPace implements Pace {
  private time = 0;
  private sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.time;
  }

  sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((wake) => {
      if (signal.aborted) return wake();
      this.sleepers.push({ until: this.time + milliseconds, wake });
      signal.addEventListener('abort', () => wake());
    });
  }

  /** Lets time go on. Whoever wakes up in between does so at its time. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.time + milliseconds;
    for (;;) {
      await this.settle();
      const next = Math.min(...this.sleepers.map(({ until }) => until));
      if (next > end) break;
      this.time = Math.max(this.time, next);
      const woken = this.sleepers.filter(({ until }) => until <= this.time);
      this.sleepers = this.sleepers.filter(({ until }) => until > this.time);
      for (const { wake } of woken) wake();
    }
    this.time = end;
  }

  async settle(): Promise<void> {
    for (let count = 0; count < TURNS; count += 1) await turn();
  }
}
