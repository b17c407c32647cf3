import { describe, expect, it } from '@jest/globals';
import { InProcessHub, until } from '../../../test/support/in-process-hub.js';
import { HubError } from '../../access/hub.errors.js';
import { type BatchDraft, publishBatch } from './publish-batch.js';

describe('a batch within the process', () => {
  it('is stored in order, and answers for each update: one that is refused stops no other', async () => {
    await using opened = await InProcessHub.open();
    const { hub } = opened;
    const answers = await hub.publishBatch([
      { topic: 'urn:a', data: { n: 1 }, id: 'urn:1' },
      { topic: '*', data: 'refused' },
      { topics: ['urn:a', 'urn:b'], data: 'two', id: 'urn:2' },
      { topic: 'urn:a', data: 'three', id: 'urn:3', idempotencyKey: 'k' },
      { topic: 'urn:a', data: 'three', id: 'urn:3', idempotencyKey: 'k' },
      { topic: 'urn:a', data: 'other', idempotencyKey: 'k' },
    ]);
    expect(answers.map(({ id, error }) => id ?? error?.code)).toEqual([
      'urn:1',
      'topic-reserved',
      'urn:2',
      'urn:3',
      'urn:3',
      'idempotency-key-conflict',
    ]);
    const { updates } = await hub.history('urn:a', { order: 'asc' });
    expect(updates.map(({ id, data }) => [id, data])).toEqual([
      ['urn:1', '{"n":1}'],
      ['urn:2', 'two'],
      ['urn:3', 'three'],
    ]);
  });

  it('refuses what the grants do not allow', async () => {
    await using opened = await InProcessHub.open();
    const grants = { canPublish: () => false, canRead: () => true, readKey: 'r' };
    const [answer] = await opened.hub.publishBatch([{ topic: 'urn:a' }], { grants });
    expect(answer?.error).toBeInstanceOf(HubError);
    expect(answer?.error).toMatchObject({ code: 'insufficient-scope' });
  });

  it('reads its source only as fast as updates are stored, and lets others have their turns', async () => {
    let read = 0;
    let stored = 0;
    let most = 0;
    const release: (() => void)[] = [];
    async function* source(): AsyncGenerator<BatchDraft> {
      for (; read < 1_000; read += 1) yield { topic: 'urn:a', id: `${read}` };
    }
    let turns = 0;
    const batch = publishBatch(source(), {
      publish: async ({ id = '' }) => {
        most = Math.max(most, read - stored);
        await new Promise<void>((resolve) => release.push(resolve));
        stored += 1;
        return id;
      },
      giveWay: () => {
        turns += 1;
        return Promise.resolve();
      },
    });
    let isDone = false;
    void batch.then(() => (isDone = true));
    await until(() => {
      for (const resolve of release.splice(0, 10)) resolve();
      return isDone;
    });
    const answers = await batch;
    expect(answers.map(({ id }) => id)).toEqual(Array.from({ length: 1_000 }, (_, index) => `${index}`));
    expect(most).toBeLessThanOrEqual(300);
    expect(turns).toBeGreaterThan(2);
  });

  it('throws what its source throws, once what came before is stored', async () => {
    await using opened = await InProcessHub.open();
    const { hub, journal } = opened;
    function* source(): Generator<BatchDraft> {
      yield { topic: 'urn:a', data: 1 };
      throw new Error('the source is broken');
    }
    await expect(hub.publishBatch(source())).rejects.toThrow('the source is broken');
    expect(journal.head).toBe(1);
  });

  it('throws what is no refusal', async () => {
    const context = { publish: () => Promise.reject(new TypeError('a bug')), giveWay: () => Promise.resolve() };
    await expect(publishBatch([{ topic: 'a' }, { topic: 'b' }], context)).rejects.toThrow('a bug');
  });
});
