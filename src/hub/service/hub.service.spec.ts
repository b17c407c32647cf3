import { PassThrough } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { Logger } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { CapturedLog } from '../../../test/support/captured-log.js';
import type { Appended, ResetListener, TailListener } from '../../storage/journal/journal.js';
import type { Update } from '../../storage/journal/update.js';
import { MemoryJournal } from '../../storage/journal/memory/memory-journal.js';
import { OutstandingBytes } from '../../streams/registry/outstanding-bytes.js';
import { ResponseConnection } from '../../streams/connections/response-connection.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { MemoryState } from '../../storage/state/memory/memory-state.js';
import { UNLIMITED } from '../../access/grants.js';
import { GuardedGrants } from '../../access/guarded-grants.js';
import { HubService } from './hub.service.js';
import type { Start } from './starts.js';
import { parseMatcher } from '../matching/matcher.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

/** A journal that reports the loss of its newest entries when the test calls `lose`. */
class LosingJournal extends MemoryJournal {
  lose: ResetListener = () => undefined;
  /** The position that the log goes back to while the next id is looked for. */
  losesDuringLocate: number | undefined;

  override tail(from: number, listener: TailListener, onReset: ResetListener = () => undefined): () => void {
    this.lose = onReset;
    return super.tail(from, listener);
  }

  override locate(eventId: string): Promise<number | undefined> {
    const { losesDuringLocate } = this;
    this.losesDuringLocate = undefined;
    if (losesDuringLocate !== undefined) this.lose(losesDuringLocate);
    return super.locate(eventId);
  }
}

/** Subscribes to `urn:t` as somebody in the same process would, and gives what has been sent so far. */
function subscribe(hub: HubService, start: Start, grants = UNLIMITED): { readonly sent: () => string; close(): void } {
  const response = new PassThrough();
  const matchers = [parseMatcher('exact', 'urn:t', HUB_URL)];
  hub.subscribe(() => new ResponseConnection(response, new OutstandingBytes()), {
    matchers,
    grants,
    start,
    requestId: '',
    address: '',
  });
  let text = '';
  response.setEncoding('utf8').on('data', (part: string) => (text += part));
  return { sent: () => text, close: () => void response.destroy() };
}

function openHub(journal: LosingJournal): HubService {
  const streams = new StreamRegistry({ heartbeat: 0, maxAge: 0, writeTimeout: 30_000 });
  return new HubService(journal, streams, new MemoryState(0), new GuardedGrants(), {
    hubUrl: HUB_URL,
    legacy: false,
    subscriptions: { enabled: false, grace: 0 },
    recentBytes: 1024 ** 2,
    flushInterval: 0,
    quota: { each: { updates: 0, bytes: 0 }, all: { updates: 0, bytes: 0 } },
  });
}

describe('the hub', () => {
  it('stores an update at once where its journal does, and refuses one in the way that it was asked', async () => {
    const hub = openHub(new LosingJournal({ events: 100, bytes: 2 ** 20, age: 60_000 }));
    expect(hub.publishAtOnce({ topics: ['urn:t'], id: 'a' }, {})).toBe('a');
    const refused = expect.objectContaining({ code: 'topic-reserved' });
    expect(() => hub.publishAtOnce({ topics: ['*'] }, {})).toThrow(refused);
    await expect(hub.publish({ topics: ['*'] })).rejects.toEqual(refused);
    const { outcomes, toStored } = hub.counts.publications;
    expect([...outcomes.entries()]).toEqual([
      ['stored', 1],
      ['refused', 2],
    ]);
    expect(toStored.cumulative.at(-1)).toBe(1);
  });

  it('waits for a journal whose promises are of another class', async () => {
    const OtherPromise = runInNewContext('Promise') as PromiseConstructor;
    class OtherJournal extends LosingJournal {
      override append(update: Update): Promise<Appended> {
        return OtherPromise.resolve(super.append(update));
      }
    }
    const hub = openHub(new OtherJournal({ events: 100, bytes: 2 ** 20, age: 60_000 }));
    expect(await hub.publish({ topics: ['urn:t'], id: 'a' })).toBe('a');
  });

  it('tells a reader of a loss that is noticed between the look for its place and its subscription', async () => {
    const journal = new LosingJournal({ events: 100, bytes: 2 ** 20, age: 60_000 });
    const hub = openHub(journal);
    for (const id of ['a', 'b', 'c']) await hub.publish({ topics: ['urn:t'], data: id, id });
    const start = await hub.locate('c');
    journal.lose(1);
    const reader = subscribe(hub, start);
    while (!reader.sent().includes('caught-up')) await new Promise(setImmediate);
    expect(reader.sent().match(/(?<="type":")[\w-]+/g)).toEqual(['reset', 'caught-up']);
    reader.close();
    await hub.onApplicationShutdown();
  });

  it('tells nobody of a loss who comes with an id from after it, also where it is noticed during the look', async () => {
    const journal = new LosingJournal({ events: 100, bytes: 2 ** 20, age: 60_000 });
    const hub = openHub(journal);
    for (const id of ['a', 'b', 'c']) await hub.publish({ topics: ['urn:t'], data: id, id });
    journal.losesDuringLocate = 1;
    const reader = subscribe(hub, await hub.locate('c'));
    while (!reader.sent().includes('caught-up')) await new Promise(setImmediate);
    expect(reader.sent().match(/(?<="type":")[\w-]+/g)).toEqual(['caught-up']);
    reader.close();
    await hub.onApplicationShutdown();
  });

  it('takes an id that is held for that update, also where it could be a cursor', async () => {
    const journal = new LosingJournal({ events: 100, bytes: 2 ** 20, age: 60_000 });
    const hub = openHub(journal);
    await hub.publish({ topics: ['urn:t'], data: 'first' });
    const { lastEventId = '' } = await hub.locate('');
    expect(await hub.locate(lastEventId)).toMatchObject({ place: { position: 1 }, isGap: false, lastEventId });
    // A version from before there were cursors may have stored such an id.
    await journal.append({ topics: ['urn:t'], data: 'second', id: lastEventId, private: false });
    expect(await hub.locate(lastEventId)).toMatchObject({ place: { position: 2 }, isGap: false, lastEventId });
    await hub.onApplicationShutdown();
  });

  it('keeps what is private from a reader in the process whose grants throw, and serves the others', async () => {
    const log = new CapturedLog();
    Logger.overrideLogger(log);
    const hub = openHub(new LosingJournal({ events: 100, bytes: 2 ** 20, age: 60_000 }));
    const fail = (): never => {
      throw new Error('the store is away');
    };
    const start = await hub.locate(undefined);
    const [broken, sound] = [
      subscribe(hub, start, { ...UNLIMITED, readKey: 'x', canRead: fail }),
      subscribe(hub, start),
    ];
    await hub.publish({ topics: ['urn:t'], data: 'private', private: true });
    await hub.publish({ topics: ['urn:t'], data: 'public' });
    for (const { sent } of [broken, sound]) while (!sent().includes('public')) await new Promise(setImmediate);
    expect([broken.sent().includes('private'), sound.sent().includes('private')]).toEqual([false, true]);
    expect(log.errors).toHaveLength(1);
    broken.close();
    sound.close();
    await hub.onApplicationShutdown();
  });
});
