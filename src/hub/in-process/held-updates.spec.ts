import { describe, expect, it } from '@jest/globals';
import { InProcessHub } from '../../../test/support/in-process-hub.js';

const NOBODY = { canPublish: () => false, canRead: () => false, readKey: 'nobody' };

describe('what is held, asked for within the process', () => {
  it('is given in pages, with everything or what the grants allow', async () => {
    await using opened = await InProcessHub.open();
    const { hub } = opened;
    for (let count = 0; count < 5; count += 1) {
      await hub.publish({ topic: 'urn:a', id: `urn:${count}`, data: { count }, private: count === 3 });
    }
    const first = await hub.history('urn:a', { limit: 3 });
    expect(first.updates.map(({ id }) => id)).toEqual(['urn:4', 'urn:3', 'urn:2']);
    const second = await hub.history('urn:a', { limit: 3, ...first.next });
    expect([second.updates.map(({ id }) => id), second.next]).toEqual([['urn:1', 'urn:0'], undefined]);
    const seen = await hub.history(['urn:a'], { grants: NOBODY });
    expect(seen.updates.map(({ id }) => id)).toEqual(['urn:4', 'urn:2', 'urn:1', 'urn:0']);
    await expect(hub.history('urn:a', { after: 'urn:unknown' })).rejects.toMatchObject({ code: 'id-not-held' });
    await expect(hub.history({ pattern: '/(' })).rejects.toMatchObject({ code: 'matcher-invalid' });
  });

  it('is given as the newest of each topic', async () => {
    await using opened = await InProcessHub.open();
    const { hub } = opened;
    for (const id of ['a1', 'b1', 'a2', 'c1']) {
      await hub.publish({ topics: [`urn:${id[0]}`, 'urn:all'], id, private: id === 'a2', data: id });
    }
    const all = await hub.latest(['urn:a', 'urn:b', 'urn:none']);
    expect([all.updates.map(({ id, topics }) => [id, topics]), all.isComplete]).toEqual([
      [
        ['b1', ['urn:b']],
        ['a2', ['urn:a']],
      ],
      true,
    ]);
    const seen = await hub.latest(['urn:a', 'urn:b'], { grants: NOBODY });
    expect(seen.updates.map(({ id }) => id)).toEqual(['a1', 'b1']);
    expect(await hub.latest('urn:none')).toEqual({ updates: [], isComplete: true });
  });

  it('is the newest of the newest where it is too large', async () => {
    await using opened = await InProcessHub.open();
    const { hub } = opened;
    for (let count = 0; count < 40; count += 1) {
      await hub.publish({ topic: `urn:${count}`, id: `${count}`, data: 'x'.repeat(1024 ** 2) });
    }
    const { updates, isComplete } = await hub.latest('*');
    expect(isComplete).toBe(false);
    expect(updates.length).toBeLessThan(20);
    expect(updates.at(-1)?.id).toBe('39');
    expect(updates[0]?.id).toBe(`${40 - updates.length}`);
  });
});
