import { HUB_LIMITS } from '../../limits/hub.limits.js';
import type { Found } from '../log/wanted-positions.js';

/** Collects the position of the newest wanted update of each topic in a stretch of the log, from its beginning on. */
export class NewestOfTopics {
  private readonly newest = new Map<string, number>();
  private readonly damaged: number[] = [];

  /** @param after the position after which the stretch begins. */
  constructor(private readonly after: number) {}

  /** Whether it has as many topics as one offer may have. Then the stretch ends here. */
  get isFull(): boolean {
    return this.newest.size + this.damaged.length >= HUB_LIMITS.offerTopics;
  }

  /** Takes the next wanted update, with those of its topics that are matched. */
  add(position: number, topics: readonly string[]): void {
    for (const topic of topics) this.newest.set(topic, position);
  }

  /** Takes a damaged entry. Nobody knows its topics any more, so nothing supersedes it. */
  addDamaged(position: number): void {
    this.damaged.push(position);
  }

  /** The plan for a reader with any cursor from the beginning of the stretch on, up to its end. */
  planUpTo(upTo: number): Found {
    const positions = new Set([...this.newest.values(), ...this.damaged]);
    return { positions: [...positions].toSorted((one, other) => one - other), upTo, after: this.after };
  }
}
