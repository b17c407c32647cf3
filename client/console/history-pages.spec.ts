import { describe, expect, it } from '@jest/globals';
import { parseFilter } from './filter.js';
import { HistoryPages } from './history-pages.js';
import { LIMITS, MessageLog } from './message-log.js';
import { VisibleEntries } from './visible-entries.js';

function live(log: MessageLog, ...names: readonly string[]): void {
  for (const id of names)
    log.add({ id, topic: 't', type: 'message', text: `text ${id}`, isReplayed: false, latency: undefined });
}

function ids(log: MessageLog): (string | undefined)[] {
  return log.entries.map((entry) => (entry.kind === 'message' ? entry.id : entry.mark));
}

/** Pages of a hub that holds these ids, oldest first, and takes what it is asked down. */
class Hub {
  readonly asked: string[] = [];
  constructor(
    readonly held: readonly string[],
    readonly page = 2,
  ) {}

  readonly answer = (query: URLSearchParams): Promise<Response> => {
    const before = query.get('before');
    this.asked.push(before ?? 'the newest');
    const end = before === null ? this.held.length : this.held.indexOf(before);
    if (end === -1) return Promise.resolve(Response.json({ code: 'id-not-held' }, { status: 404 }));
    const first = Math.max(0, end - this.page);
    const updates = this.held
      .slice(first, end)
      .toReversed()
      .map((id) => ({ id, topics: ['t'], data: `text ${id}`, time: '2026-11-27T08:00:00.000Z' }));
    const next = new URLSearchParams({ match: 't', before: this.held[first] ?? '' });
    const headers = first > 0 ? { link: `</elsewhere/history?${next.toString()}>; rel="next"` } : undefined;
    return Promise.resolve(Response.json(updates, headers && { headers }));
  };
}

function pagesOf(log: MessageLog, answer: (query: URLSearchParams) => Promise<Response>): HistoryPages {
  return new HistoryPages(log, answer, () => [['match', 't']]);
}

describe('the history before a log', () => {
  it('comes page by page before the first message, until nothing older is held', async () => {
    const log = new MessageLog();
    live(log, 'f', 'g');
    const hub = new Hub(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    const pages = pagesOf(log, hub.answer);
    await pages.older();
    expect([ids(log), pages.came, pages.stateNow()]).toEqual([['d', 'e', 'f', 'g'], 2, 'ready']);
    live(log, 'h');
    await pages.older();
    await pages.older();
    expect([ids(log), pages.stateNow()]).toEqual([['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], 'end']);
    expect(hub.asked).toEqual(['f', 'd', 'b']);
    expect(log.entries.map(({ serial }) => serial)).toEqual([-4, -3, -2, -1, 0, 1, 2, 3]);
    expect(log.entries[0]).toMatchObject({ isHistory: true, at: Date.parse('2026-11-27T08:00:00.000Z') });
    expect(log.received).toBe(3);
  });

  it('begins with the newest where the log is empty, and leaves out what the log has', async () => {
    const log = new MessageLog();
    const pages = pagesOf(log, new Hub(['a', 'b']).answer);
    await pages.older();
    expect(ids(log)).toEqual(['a', 'b']);

    const other = new MessageLog();
    live(other, 'e', 'a', 'b', 'c', 'd');
    const hub = new Hub(['a', 'b', 'c', 'd', 'e']);
    await pagesOf(other, hub.answer).older();
    // Pages that bring nothing new are not what the reader has asked for.
    expect([ids(other), hub.asked]).toEqual([
      ['e', 'a', 'b', 'c', 'd'],
      ['e', 'c'],
    ]);
  });

  it('goes on from another message where the first one was taken out, and says where none is held', async () => {
    const log = new MessageLog();
    live(log, 'removed', 'c');
    const pages = pagesOf(log, new Hub(['a', 'b', 'c']).answer);
    await pages.older();
    expect(ids(log)).toEqual(['a', 'b', 'removed', 'c']);

    const trimmed = new MessageLog();
    live(trimmed, 'x', 'y');
    const none = pagesOf(trimmed, new Hub(['z']).answer);
    await none.older();
    expect(none.stateNow()).toBe('gone');
    trimmed.clear();
    expect(none.stateNow()).toBe('ready');
  });

  it('puts nothing into a log that was cleared, or for another reader, while the hub was asked', async () => {
    const log = new MessageLog();
    live(log, 'c');
    const hub = new Hub(['a', 'b', 'c']);
    const pages = pagesOf(log, hub.answer);
    const asking = pages.older();
    pages.reset();
    await asking;
    expect([ids(log), pages.stateNow()]).toEqual([['c'], 'ready']);
    const again = pages.older();
    log.clear();
    live(log, 'd');
    await again;
    expect(ids(log)).toEqual(['d']);
  });

  it.each([
    [401, 'refused'],
    [403, 'refused'],
    [404, 'absent'],
    [503, 'failed'],
  ])('says what became of it at %s', async (status, state) => {
    const log = new MessageLog();
    live(log, 'c');
    const pages = pagesOf(log, () => Promise.resolve(Response.json({ code: 'any' }, { status })));
    await pages.older();
    expect([pages.stateNow(), pages.status]).toEqual([state, status]);
  });

  it('can be asked for again after a failure', async () => {
    const log = new MessageLog();
    live(log, 'c');
    const hub = new Hub(['a', 'b', 'c']);
    let isAway = true;
    const pages = pagesOf(log, (query) => (isAway ? Promise.reject(new TypeError('away')) : hub.answer(query)));
    await pages.older();
    expect(pages.stateNow()).toBe('failed');
    isAway = false;
    await pages.older();
    expect(ids(log)).toEqual(['a', 'b', 'c']);
  });

  it('leaves a tenth of the log for what comes, and goes on once there is room', async () => {
    const log = new MessageLog(() => 0, { entries: 10, characters: LIMITS.characters });
    live(log, 'e', 'f', 'g', 'h', 'i', 'j');
    const pages = pagesOf(log, new Hub(['a', 'b', 'c', 'd', 'e', 'f']).answer);
    await pages.older();
    await pages.older();
    expect([ids(log)[0], pages.stateNow()]).toEqual(['c', 'full']);
    live(log, 'k', 'l', 'm');
    // One too many: the first one is dropped.
    expect([ids(log)[0], pages.stateNow(), log.dropped]).toEqual(['d', 'ready', 1]);
  });

  it('is filtered like everything else', () => {
    const log = new MessageLog();
    live(log, 'red 1', 'green 1');
    log.prepend(['red 2', 'green 2'].map((id) => ({ id, topic: 't', type: 'message', text: id, at: 0 })));
    const visible = new VisibleEntries(log, parseFilter('red'));
    expect(visible.update().map(({ serial }) => serial)).toEqual([-1, 1]);
  });
});
