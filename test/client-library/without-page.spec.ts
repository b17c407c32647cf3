import { describe, expect, it } from '@jest/globals';
import { createHeraldClient } from '../../client/lib/index.js';

describe('a client outside of a page', () => {
  it('may have a relative URL, and says so once it is needed', async () => {
    const client = createHeraldClient({ url: '/.well-known/mercure' });
    const misused = { code: 'misused' };

    expect(client.state).toBe('idle');
    expect(() => client.subscribe('urn:t', () => undefined)).toThrow(/absolute URL/);
    await expect(client.publish('urn:t', 1)).rejects.toMatchObject(misused);
    await expect(client.publishBatch([])).rejects.toMatchObject(misused);
    await expect(client.historyPage('urn:t')).rejects.toMatchObject(misused);
    await expect(client.iterate('urn:t').next()).rejects.toMatchObject(misused);
    await expect(client.presence('urn:t').list()).rejects.toMatchObject(misused);
    expect(() => client.presence('urn:t').subscribe(() => undefined)).toThrow(/absolute URL/);
    client.dispose();
  });
});
