import { describe, expect, it, jest } from '@jest/globals';
import { Credentials, type Identity, readerOf, tokenFor } from './identity.js';

describe('Credentials', () => {
  it('give each role its own token, and the one for reading where it has none', () => {
    const identity = { token: 'r', publishToken: 'p' };
    expect((['read', 'publish', 'admin'] as const).map((role) => tokenFor(role, identity))).toEqual(['r', 'p', 'r']);
    expect(tokenFor('admin', {})).toBeUndefined();
  });

  it('are renewed once for all who find their token spent', async () => {
    const renew = jest.fn<() => Promise<Identity | undefined>>();
    renew.mockResolvedValueOnce({ token: 'r2', publishToken: 'p2', renew }).mockResolvedValue(undefined);
    const renewed = jest.fn();
    const credentials = new Credentials({ token: 'r1', publishToken: 'p1', renew }, renewed);
    expect(await credentials.give('read')).toBe('r1');
    expect(await Promise.all([credentials.give('read', true), credentials.give('publish', true)])).toEqual([
      'r2',
      'p2',
    ]);
    expect(renew).toHaveBeenCalledTimes(1);
    // The service gives none any more: the last one is all there is.
    expect(await credentials.give('read', true)).toBe('r2');
    expect(renewed).toHaveBeenCalledTimes(1);
  });

  it('fail where the service can not be reached, and are asked for again the next time', async () => {
    const renew = jest.fn<() => Promise<Identity | undefined>>();
    renew.mockRejectedValueOnce(new TypeError('away')).mockResolvedValue({ token: 'r2' });
    const credentials = new Credentials({ token: 'r1', renew }, () => undefined);
    await expect(credentials.give('read', true)).rejects.toThrow('away');
    expect(await credentials.give('read', true)).toBe('r2');
  });

  it('tell readers apart by what they read with', () => {
    const renew = (): Promise<undefined> => Promise.resolve(undefined);
    expect(readerOf({ token: 'a', renew })).toBe(readerOf({ token: 'b', renew }));
    expect(new Set([readerOf({}), readerOf({ token: 'a' }), readerOf({ token: 'b' })]).size).toBe(3);
  });
});
