import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { map, take } from 'rxjs';
import { InProcessHub, until } from '../../../test/support/in-process-hub.js';
import { UNLIMITED } from '../../access/grants.js';
import { JournalUnavailableError, type ResetListener, type TailListener } from '../../storage/journal/journal.js';
import { MemoryJournal } from '../../storage/journal/memory/memory-journal.js';
import { ResponseConnection } from '../../streams/connections/response-connection.js';
import { isResumable } from '../../streams/nest-sse/resumable.js';
import type { HubNotice, HubUpdate, HubUpdates } from './hub-updates.js';

/** A subscription as somebody in the process has it, and what it was given. */
class Follower {
  readonly updates: HubUpdate[] = [];
  /** Ids of updates, and types of notices, in the order in which they came. */
  readonly all: string[] = [];
  readonly notices: HubNotice[] = [];
  end: unknown;
  stop: () => void = () => undefined;

  readonly onNotice = (notice: HubNotice): void => {
    this.notices.push(notice);
    this.all.push(notice.type);
  };

  follow(updates: HubUpdates): this {
    const subscription = updates.subscribe({
      next: (update) => {
        this.updates.push(update);
        this.all.push(update.id);
      },
      error: (error) => (this.end = error),
      complete: () => (this.end = 'complete'),
    });
    this.stop = () => subscription.unsubscribe();
    return this;
  }
}

const NOBODY = { canPublish: () => false, canRead: () => false, readKey: 'nobody' };

describe('updates within the process', () => {
  it('are given as they come, once and in order, also what is published in the turn of the call', async () => {
    await using opened = await InProcessHub.open();
    const { hub } = opened;
    await hub.publish({ topic: 'urn:a', data: 'before' });
    const one = new Follower();
    one.follow(hub.updates(['urn:a', { pattern: 'https://example.com/:id' }], { onNotice: one.onNotice }));
    const first = hub.publish({
      topic: 'urn:a',
      data: { line: 'a\r\nb' },
      id: 'urn:1',
      type: 't',
      retry: 5,
      private: true,
    });
    await hub.publish({ topic: 'urn:other', data: 'not wanted' });
    await hub.publish({ topics: ['urn:x', 'https://example.com/1'], data: 'a\r\nb', id: 'urn:2' });
    await first;
    await until(() => one.updates.length === 2);
    expect(one.updates).toEqual([
      {
        id: 'urn:1',
        topics: ['urn:a'],
        data: '{"line":"a\\r\\nb"}',
        type: 't',
        retry: 5,
        private: true,
        time: expect.any(Date),
      },
      { id: 'urn:2', topics: ['https://example.com/1'], data: 'a\r\nb', private: false, time: expect.any(Date) },
    ]);
    expect(one.notices).toEqual([{ type: 'cursor', id: expect.any(String) }]);
  });

  it('go on after any id, and after the cursor of a notice', async () => {
    await using opened = await InProcessHub.open();
    const { hub } = opened;
    const fresh = new Follower();
    fresh.follow(hub.updates('urn:a', { onNotice: fresh.onNotice }));
    await until(() => fresh.notices.length === 1);
    for (const id of ['urn:1', 'urn:2', 'urn:3']) await hub.publish({ topic: 'urn:a', id });
    const since = new Follower();
    since.follow(hub.updates('urn:a', { since: 'urn:1', onNotice: since.onNotice }));
    const after = new Follower();
    after.follow(hub.updates('urn:a', { onNotice: since.onNotice }).after('urn:2', after.onNotice));
    const cursor = new Follower().follow(hub.updates('urn:a').after(fresh.notices[0]?.id));
    await until(() => since.all.length === 4 && after.all.length === 2 && cursor.all.length === 3);
    expect(after.all).toEqual(['urn:3', 'caught-up']);
    expect(since.all.toSorted()).toEqual(['caught-up', 'caught-up', 'urn:2', 'urn:3']);
    expect(cursor.all).toEqual(['urn:1', 'urn:2', 'urn:3']);
  });

  it('begin with the newest ones, or with the newest of each topic', async () => {
    await using opened = await InProcessHub.open();
    const { hub } = opened;
    for (const [topic, id] of ['a1', 'b1', 'a2', 'b2', 'c1'].map((name) => [`urn:${name[0]}`, name] as const)) {
      await hub.publish({ topic, id });
    }
    const [last, latest, both] = [new Follower(), new Follower(), new Follower()];
    last.follow(hub.updates('*', { last: 2, onNotice: last.onNotice }));
    latest.follow(hub.updates('*', { begin: 'latest', onNotice: latest.onNotice }));
    both.follow(hub.updates('*', { begin: 'latest', since: 'urn:unknown', onNotice: both.onNotice }));
    await until(() => [last, latest, both].every(({ all }) => all.includes('caught-up')));
    expect(last.all).toEqual(['b2', 'c1', 'caught-up']);
    expect(latest.all).toEqual(['a2', 'b2', 'c1', 'caught-up']);
    expect(both.all).toEqual(['gap', 'a2', 'b2', 'c1', 'caught-up']);
    expect(() => hub.updates('*', { last: 0 })).toThrow(expect.objectContaining({ code: 'last-invalid' }));
    expect(() => hub.updates({ pattern: '/(' })).toThrow(expect.objectContaining({ code: 'matcher-invalid' }));
    expect(() => hub.updates([])).toThrow(expect.objectContaining({ code: 'matcher-missing' }));
  });

  it('are those that the grants allow, and end with them', async () => {
    await using opened = await InProcessHub.open();
    const { hub } = opened;
    const one = new Follower();
    const expiring = new Follower();
    one.follow(hub.updates('urn:a', { grants: NOBODY }));
    const grants = { ...UNLIMITED, readKey: 'x', expiresAt: Date.now() + 1_500 };
    expiring.follow(hub.updates('urn:a', { grants, onNotice: expiring.onNotice }));
    await hub.publish({ topic: 'urn:a', id: 'urn:1', private: true });
    await hub.publish({ topic: 'urn:a', id: 'urn:2' });
    await until(() => one.all.length > 0 && expiring.end !== undefined);
    expect(one.all).toEqual(['urn:2']);
    expect(expiring.all).toEqual(['cursor', 'urn:1', 'urn:2', 'expired']);
    expect(expiring.end).toBe('complete');
    const late = new Follower();
    late.follow(
      hub.updates('urn:a', { grants: { ...grants, expiresAt: 1 }, onNotice: late.onNotice, since: 'earliest' }),
    );
    await until(() => late.end !== undefined);
    expect(late.all).toEqual(['expired']);
  });

  it('end where their caller is barred, and the application itself never is', async () => {
    await using opened = await InProcessHub.open();
    const { hub, streams } = opened;
    let isRevoked = false;
    streams.addBar(() => (isRevoked ? 'revoked' : undefined));
    const [ann, own] = [new Follower(), new Follower()];
    ann.follow(hub.updates('urn:a', { grants: { ...NOBODY, subject: 'ann' }, onNotice: ann.onNotice }));
    own.follow(hub.updates('urn:a'));
    isRevoked = true;
    await until(() => ann.end !== undefined);
    expect(ann.all).toEqual(['cursor', 'revoked']);
    expect(own.end).toBeUndefined();
  });

  it('end with the process, whichever way they are read, and leave nothing behind', async () => {
    const { hub, ...opened } = await InProcessHub.open();
    const one = new Follower().follow(hub.updates('urn:a'));
    const stopped = new Follower().follow(hub.updates('urn:b'));
    const aborted = new Follower();
    const controller = new AbortController();
    aborted.follow(hub.updates('urn:c', { signal: controller.signal }));
    const taken: string[] = [];
    hub
      .updates('urn:a')
      .pipe(
        take(1),
        map(({ id }) => id),
      )
      .subscribe((id) => taken.push(id));
    const read: string[] = [];
    const reading = (async () => {
      for await (const { id } of hub.updates('urn:a')) read.push(id);
    })();
    expect(hub.counts.cohorts).toBe(3);
    await hub.publish({ topic: 'urn:a', id: 'urn:1' });
    await until(() => read.length === 1 && taken.length === 1);
    stopped.stop();
    controller.abort();
    await until(() => hub.counts.cohorts === 1);
    expect([aborted.end, stopped.end]).toEqual(['complete', undefined]);
    await hub.beforeApplicationShutdown();
    await reading;
    await until(() => one.end !== undefined);
    expect([one.end, one.all, read, taken]).toEqual(['complete', ['urn:1'], ['urn:1'], ['urn:1']]);
    expect([hub.counts.cohorts, opened.streams.outstanding.total]).toEqual([0, 0]);
    const late = new Follower().follow(hub.updates('urn:a', { since: 'earliest' }));
    const aborting = new Follower().follow(hub.updates('urn:a', { signal: controller.signal }));
    await until(() => late.end !== undefined && aborting.end !== undefined);
    expect([late.all, late.end]).toEqual([[], 'complete']);
    await hub.onApplicationShutdown();
  });

  it('are left when a loop is, and fail with what a listener throws', async () => {
    await using opened = await InProcessHub.open();
    const { hub } = opened;
    for (let count = 0; count < 10; count += 1) await hub.publish({ topic: 'urn:a', id: `urn:${count}` });
    const read: string[] = [];
    for await (const { id } of hub.updates('urn:a', { since: 'earliest' })) {
      read.push(id);
      if (read.length === 3) break;
    }
    expect(read).toEqual(['urn:0', 'urn:1', 'urn:2']);
    await until(() => hub.counts.cohorts === 0);
    const fail = (): never => {
      throw new Error('a mistake of the listener');
    };
    const one = new Follower().follow(hub.updates('urn:a', { onNotice: fail }));
    await until(() => one.end !== undefined);
    expect(one.end).toEqual(new Error('a mistake of the listener'));
    await until(() => hub.counts.cohorts === 0);
  });

  it('tell of a loss of the journal, and go on', async () => {
    let lose: ResetListener = () => undefined;
    class LosingJournal extends MemoryJournal {
      override tail(from: number, listener: TailListener, onReset: ResetListener = () => undefined): () => void {
        lose = onReset;
        return super.tail(from, listener);
      }
    }
    const journal = new LosingJournal({ events: 100, bytes: 2 ** 20, age: 60_000 });
    await using opened = await InProcessHub.open({ journal });
    const { hub } = opened;
    const one = new Follower();
    one.follow(hub.updates('urn:a', { onNotice: one.onNotice }));
    for (const id of ['urn:1', 'urn:2', 'urn:3']) await hub.publish({ topic: 'urn:a', id });
    await until(() => one.updates.length === 3);
    lose(2);
    await until(() => one.all.includes('reset'));
    await hub.publish({ topic: 'urn:a', id: 'urn:4' });
    await until(() => one.updates.length === 4);
    expect(one.all).toEqual(['cursor', 'urn:1', 'urn:2', 'urn:3', 'reset', 'urn:4']);
  });

  it('are no frames of an event stream, and those of streams beside them are no records', async () => {
    await using opened = await InProcessHub.open();
    const { hub, streams } = opened;
    const one = new Follower().follow(hub.updates('urn:a'));
    const response = new PassThrough();
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => (text += part));
    hub.subscribe(() => new ResponseConnection(response, streams.outstanding), {
      matchers: [{ type: 'exact', pattern: 'urn:a' }],
      grants: UNLIMITED,
      start: await hub.locate(undefined),
      namesTopics: true,
      namesTrace: true,
      requestId: '',
      address: '',
    });
    await hub.publish({ topic: 'urn:a', id: 'urn:1', data: 'x' });
    await until(() => one.all.length > 0 && text.includes('urn:1'));
    expect(one.all).toEqual(['urn:1']);
    expect(text).toContain('id: urn:1\ntopic: urn:a\ndata: x\n\n');
    response.destroy();
  });

  it('are whole however large they are', async () => {
    await using opened = await InProcessHub.open({ recentBytes: 1_000 });
    const { hub } = opened;
    const texts = ['a', 'é🙂\u2028\n'.repeat(200_000), '', '🙂'.repeat(20_000)];
    for (const data of texts) await hub.publish({ topic: 'urn:a', data });
    const read: string[] = [];
    for await (const { data } of hub.updates('urn:a', { since: 'earliest' })) {
      read.push(data);
      if (read.length === texts.length) break;
    }
    expect(read.map((text, index) => text === texts[index])).toEqual(texts.map(() => true));
  });

  it('wait while the journal can not be read', async () => {
    let asked = 0;
    class AwayJournal extends MemoryJournal {
      override async locate(eventId: string): Promise<number | undefined> {
        asked += 1;
        if (asked === 1) throw new JournalUnavailableError('It is away.');
        return super.locate(eventId);
      }
    }
    const journal = new AwayJournal({ events: 100, bytes: 2 ** 20, age: 60_000 });
    await using opened = await InProcessHub.open({ journal });
    const { hub } = opened;
    for (const id of ['urn:1', 'urn:2']) await hub.publish({ topic: 'urn:a', id });
    const one = new Follower().follow(hub.updates('urn:a', { since: 'urn:1' }));
    await until(() => one.all.length > 0);
    expect([one.all, asked]).toEqual([['urn:2'], 2]);
  });

  it('can be told from sources that can not begin anywhere', async () => {
    await using opened = await InProcessHub.open();
    const updates = opened.hub.updates('urn:a');
    expect([updates, updates.after('urn:1'), updates.pipe(take(1)), [], undefined].map(isResumable)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
