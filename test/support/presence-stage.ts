import { jest } from '@jest/globals';
import { ANONYMOUS, type Grants } from '../../src/access/grants.js';
import { Interest } from '../../src/hub/matching/interest.js';
import type { Matcher } from '../../src/hub/matching/matcher.js';
import { PresenceEvents } from '../../src/hub/presence/presence-events.js';
import { dialectsOf } from '../../src/hub/service/dialects.js';
import { JournalUnavailableError } from '../../src/storage/journal/journal.js';
import { MemoryJournal } from '../../src/storage/journal/memory/memory-journal.js';
import { eventIdOf, type PresenceRecord } from '../../src/storage/journal/presence-record.js';
import type { Update } from '../../src/storage/journal/update.js';

export const HUB = new URL('https://hub.example/.well-known/mercure');
export const GRACE = 5_000;

/** Whatever a process may have stored. */
const EVENTS = new PresenceEvents({ hubUrl: HUB, dialects: dialectsOf({ legacy: true }) });

/** A journal that can be away, as a remote one can. */
export class MovableJournal extends MemoryJournal {
  isAway = false;
  attempts = 0;
  readonly records: PresenceRecord[] = [];
  readonly events: Update[] = [];

  constructor() {
    super({ events: 1_000_000, bytes: 1e9, age: 1e9 });
  }

  override async appendPresence(record: PresenceRecord, options: { readonly idempotencyKey?: string }) {
    this.attempts += 1;
    if (this.isAway) throw new JournalUnavailableError('away');
    const appended = await super.appendPresence(record, options);
    if (appended.outcome === 'stored') {
      this.records.push(record);
      this.events.push(...EVENTS.eventsOf(record, (index) => eventIdOf(record, index)));
    }
    return appended;
  }

  /** Who came (+) and went (-), by what they subscribed to. */
  get news(): string[] {
    return this.documents.map(({ active, match, topic }) => `${active ? '+' : '-'}${match ?? topic}`);
  }

  get documents(): Document[] {
    return this.events.map(({ data }) => JSON.parse(data) as Document);
  }
}

export interface Document {
  readonly active: boolean;
  readonly match?: string;
  readonly topic?: string;
  readonly subscriber: string;
  readonly payload?: object;
}

export const interest = (...matchers: (string | Matcher)[]): Interest =>
  new Interest(
    matchers.map((one) => (typeof one === 'string' ? { type: 'exact', pattern: one } : one)),
    HUB,
  );

export const person = (subject: string, issuer = 'us'): Grants => ({ ...ANONYMOUS, subject, issuer, readKey: subject });

export const NEW = { address: '::1', isResuming: false };
export const RESUMING = { address: '::1', isResuming: true };

/** Milliseconds after which everything that has begun is waited for. */
const STEP = 250;

/** Lets milliseconds pass on the fake clock, and everything get done meanwhile that needs turns of the event loop. */
export async function pass(milliseconds: number): Promise<void> {
  for (let left = milliseconds; left >= 0; left -= STEP) {
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    await jest.advanceTimersByTimeAsync(Math.min(left, STEP));
    // oxlint-disable-next-line no-await-in-loop -- one turn after the other
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  }
}
