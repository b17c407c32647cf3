import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { textOf } from '../support/event-stream.js';
import { Herald } from '../support/herald.js';
import { form, Publisher, startHub, subscribe, updatesOf } from '../support/hub.js';
import { describeWith, prlimit } from '../support/programs.js';
import { LimitedFiles } from '../support/room.js';

/** Large enough to fill a journal soon. */
const DATA = 'x'.repeat(200_000);

/** As large as an update may be: the journal is to be full long before anything in it is old, on a slow disk too. */
const LARGEST = 'x'.repeat(1_000_000);

describeWith(prlimit, 'the service with an LMDB journal that can not grow', () => {
  async function start(room: LimitedFiles, env: Record<string, string> = {}): Promise<Herald> {
    const herald = await startHub({ HERALD_JOURNAL: `lmdb:${join(room.path, 'journal')}`, ...env });
    room.add(herald);
    return herald;
  }

  /** Publishes until it is refused. Answers with the ids that were acknowledged, and the refusal. */
  async function fill(publisher: Publisher, data = DATA): Promise<{ ids: string[]; refusal: string }> {
    const ids: string[] = [];
    for (;;) {
      const response = await publisher.post(form({ topic: 'a', data }));
      const text = await textOf(response);
      if (response.statusCode !== 200) {
        return { ids, refusal: `${response.statusCode} ${(JSON.parse(text) as { code: string }).code}` };
      }
      ids.push(text);
    }
  }

  /** Publishes until it is acknowledged. */
  async function publish(publisher: Publisher, data = DATA): Promise<string> {
    for (;;) {
      const id = await publisher.publish({ topic: 'a', data }).catch(() => undefined);
      if (id !== undefined) return id;
    }
  }

  it('refuses updates, loses none, and goes on each time that there is room, however large the journal is', async () => {
    using room = new LimitedFiles();
    await using herald = await start(room);
    using publisher = await Publisher.of(herald);
    await using reader = await subscribe(herald, { query: 'match=a' });
    const ids: string[] = [];
    for (let times = 0; times < 8; times += 1) {
      for (let steps = 0; steps < 3; steps += 1) room.grow();
      ids.push(await publish(publisher));
      const { ids: acknowledged, refusal } = await fill(publisher);
      ids.push(...acknowledged);
      expect(refusal).toBe('507 journal-full');
    }
    await reader.until(() => updatesOf(reader).at(-1)?.id === ids.at(-1));
    expect(updatesOf(reader).map(({ id }) => id)).toEqual(ids);
    expect(herald.errorOutput()).toBe('');
  }, 120_000);

  it('makes room by trimming', async () => {
    using room = new LimitedFiles();
    await using herald = await start(room, { HERALD_RETAIN_AGE: '2s' });
    using publisher = await Publisher.of(herald);
    for (let times = 0; times < 3; times += 1) {
      await publish(publisher, LARGEST);
      expect((await fill(publisher, LARGEST)).refusal).toBe('507 journal-full');
    }
    await publish(publisher, LARGEST);
  }, 120_000);
});
