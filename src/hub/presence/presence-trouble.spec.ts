import { Logger } from '@nestjs/common';
import { expect, it, jest } from '@jest/globals';
import { MemoryJournal } from '../../storage/journal/memory/memory-journal.js';
import { MemoryState } from '../../storage/state/memory/memory-state.js';
import { ANONYMOUS } from '../../access/grants.js';
import { Interest } from '../matching/interest.js';
import { CURRENT_DIALECT } from '../protocol/current-dialect.js';
import { pass } from '../../../test/support/presence-stage.js';
import { Presence } from './presence.js';
import { PresenceEvents } from './presence-events.js';

const HUB = new URL('https://hub.example/.well-known/mercure');

/** Milliseconds between two signs of life. */
const PULSE = 1_000;

it('goes on after what it did not expect, says so in the log once, and tells who is there in the end', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'clearImmediate'] });
  const logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
  const state = new MemoryState(5_000);
  const change = jest.spyOn(state, 'change').mockRejectedValue(new TypeError('not expected'));
  const journal = new MemoryJournal({ events: 100, bytes: 1e6, age: 1e9 });
  const presence = new Presence(journal, state, {
    grace: 5_000,
    events: new PresenceEvents({ hubUrl: HUB, dialects: [CURRENT_DIALECT] }),
  });
  try {
    const interest = new Interest([{ type: 'exact', pattern: 'a' }], HUB);
    presence.enter(interest, ANONYMOUS, { address: '::1', isResuming: false });
    await pass(5 * PULSE);
    expect(change.mock.calls.length).toBeGreaterThan(1);
    expect(change.mock.calls.length).toBeLessThan(7);
    expect(logged).toHaveBeenCalledTimes(1);
    change.mockRestore();
    await pass(2 * PULSE);
    expect(journal.head).toBe(1);
  } finally {
    await presence.close();
    logged.mockRestore();
    jest.useRealTimers();
  }
});
