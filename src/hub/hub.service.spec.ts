import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { ResetListener, TailListener } from '../journal/journal.js';
import { MemoryJournal } from '../journal/memory-journal.js';
import { OutstandingBytes } from '../sse/outstanding-bytes.js';
import { ResponseConnection } from '../sse/response-connection.js';
import { StreamRegistry } from '../sse/stream-registry.js';
import { MemoryState } from '../state/memory-state.js';
import { UNLIMITED } from './grants.js';
import { HubService } from './hub.service.js';
import { parseMatcher } from './matcher.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

/** Says that it has lost its newest entries when the test wants it to. */
class LosingJournal extends MemoryJournal {
  lose: ResetListener = () => undefined;

  override tail(from: number, listener: TailListener, onReset: ResetListener = () => undefined): () => void {
    this.lose = onReset;
    return super.tail(from, listener);
  }
}

function openHub(journal: LosingJournal): HubService {
  const streams = new StreamRegistry({ heartbeat: 0, maxAge: 0, writeTimeout: 30_000 });
  return new HubService(journal, streams, new MemoryState(0), {
    hubUrl: HUB_URL,
    legacy: false,
    subscriptions: { enabled: false, grace: 0 },
    recentBytes: 1024 ** 2,
    flushInterval: 0,
  });
}

describe('the hub', () => {
  it('tells a reader of a loss that is noticed between the look for its place and its subscription', async () => {
    const journal = new LosingJournal({ events: 100, bytes: 2 ** 20, age: 60_000 });
    const hub = openHub(journal);
    for (const id of ['a', 'b', 'c']) await hub.publish({ topics: ['urn:t'], data: id, id });
    const start = await hub.locate('c');
    journal.lose(1);
    const response = new PassThrough();
    const connection = new ResponseConnection(response, new OutstandingBytes());
    const matchers = [parseMatcher('exact', 'urn:t', HUB_URL)];
    hub.subscribe(connection, { matchers, grants: UNLIMITED, start, requestId: '', address: '' });
    let sent = '';
    response.setEncoding('utf8').on('data', (part: string) => (sent += part));
    while (!sent.includes('caught-up')) await new Promise(setImmediate);
    expect(sent.match(/(?<="type":")[\w-]+/g)).toEqual(['reset', 'caught-up']);
    response.destroy();
    await hub.onApplicationShutdown();
  });
});
