import { expect, it } from '@jest/globals';
import { HUB, interest, NEW, person } from '../../../test/support/presence-stage.js';
import type { PresenceRecord } from '../../storage/journal/presence-record.js';
import { MemoryJournal } from '../../storage/journal/memory/memory-journal.js';
import { MemoryState } from '../../storage/state/memory/memory-state.js';
import { CURRENT_DIALECT } from '../protocol/current-dialect.js';
import { Presence } from './presence.js';
import { PresenceEvents } from './presence-events.js';

/** Counts what is stored in one turn of the event loop. */
class CountingJournal extends MemoryJournal {
  records = 0;
  characters = 0;
  most = { records: 0, characters: 0 };

  override appendPresence(record: PresenceRecord, options: { readonly idempotencyKey?: string }) {
    this.records += 1;
    this.characters += record.content.length;
    return super.appendPresence(record, options);
  }

  /** A turn is over. */
  note(): void {
    const { records, characters, most } = this;
    this.most = {
      records: Math.max(most.records, records),
      characters: Math.max(most.characters, characters),
    };
    this.records = 0;
    this.characters = 0;
  }
}

it.each([
  ['many', 5_000, 1],
  ['some with many matchers each', 100, 1_000],
])('tells little in one turn of the event loop, however %s come and go at once', async (_, readers, matchers) => {
  const journal = new CountingJournal({ events: 1e6, bytes: 1e9, age: 1e9 });
  const events = new PresenceEvents({ hubUrl: HUB, dialects: [CURRENT_DIALECT] });
  const presence = new Presence(journal, new MemoryState(0), { grace: 0, events });
  const wanted = interest(...Array.from({ length: matchers }, (__, index) => `urn:some:topic:${index}`));
  const settled = async (head: number): Promise<void> => {
    for (journal.note(); journal.head < head; journal.note()) await new Promise(setImmediate);
  };
  const refs = Array.from({ length: readers }, (__, index) => presence.enter(wanted, person(`p${index}`), NEW));
  await settled(readers * matchers);
  for (const ref of refs) presence.leave(ref);
  await settled(2 * readers * matchers);
  await presence.close();
  expect(journal.most.records).toBeLessThanOrEqual(64);
  expect(journal.most.characters).toBeLessThan(256 * 1024);
});
