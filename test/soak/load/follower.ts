import type { Ledger } from './ledger.js';

interface Place {
  /** The newest update that came, if any has. */
  last: number | undefined;
  /** Everything after this number has to come. */
  floor: number;
  /** Nothing up to this number may come: it was stored before the stream was asked for. */
  tooOld: number;
}

export interface Follows {
  readonly topics: readonly string[];
  /** With `max_rate`, updates may be left out while newer ones follow. */
  readonly isConflated: boolean;
  /** With `begin=latest`, one that was stored before comes first. */
  readonly hasState: boolean;
}

/**
 * Checks what one reader gets, over all its connections: each topic's updates in order, none lost and none doubled, but
 * for what was taken out and what a notice has told it of.
 */
export class Follower {
  private readonly places = new Map<string, Place>();

  constructor(
    private readonly ledger: Ledger,
    private readonly follows: Follows,
  ) {}

  /** A stream is about to be asked for that begins live. */
  ask(): void {
    for (const topic of this.follows.topics) {
      const tooOld = this.follows.hasState ? 0 : this.ledger.storedOn(topic);
      this.places.set(topic, { last: undefined, floor: Infinity, tooOld });
    }
  }

  /** It has begun: whatever is published from here on has to come. */
  begin(): void {
    for (const [topic, place] of this.places) place.floor = this.ledger.begunOn(topic);
  }

  /** The hub has said that something is missing: what comes next may be anything that is held. */
  loosen(): void {
    for (const place of this.places.values()) Object.assign(place, { last: undefined, floor: Infinity, tooOld: 0 });
  }

  /** Takes an update, and says what is wrong with it. */
  take(topic: string, number: number): string | undefined {
    const place = this.places.get(topic);
    if (!place) return `${topic} was not asked for`;
    const { last, floor, tooOld } = place;
    place.last = number;
    if (number <= tooOld) return `${topic} ${number} is older than the stream`;
    if (last !== undefined && number <= last) return `${topic} ${number} came after ${last}`;
    if (this.follows.isConflated) return undefined;
    const missing = this.ledger.firstMissing(topic, last ?? floor, number);
    return missing === undefined ? undefined : `${topic} ${missing} is lost: ${number} came after ${last ?? 'nothing'}`;
  }

  /** What has not come yet of what was stored. */
  lacks(): string | undefined {
    for (const [topic, { last, floor }] of this.places) {
      const missing = this.ledger.firstMissing(topic, last ?? floor, this.ledger.storedOn(topic) + 1);
      if (missing !== undefined) return `${topic} ${missing} did not come after ${last ?? `${floor} (the beginning)`}`;
    }
    return undefined;
  }
}
