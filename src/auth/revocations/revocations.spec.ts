import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import type { Caller } from '../../access/caller.js';
import type { Revocation } from '../../access/token-revocations.js';
import { type OpenStream, StreamRegistry } from '../../streams/registry/stream-registry.js';
import { MemoryState } from '../../storage/state/memory/memory-state.js';
import { Revocations } from './revocations.js';

const OPTIONS = { legacy: false, maxTokenAge: 86_400_000 };

const NO_STREAMS = new StreamRegistry({ heartbeat: 0, maxAge: 0, writeTimeout: 1_000 });

async function revocations(...given: Revocation[]): Promise<Revocations> {
  const all = new Revocations(new MemoryState(0), NO_STREAMS, OPTIONS);
  for (const one of given) await all.add(one);
  return all;
}

/** The meaning of a revocation, written as simply as possible, to compare with. */
function covers(one: Revocation, by: Caller): boolean {
  if (one.tokenId !== undefined && one.tokenId !== by.tokenId) return false;
  if (one.issuer !== undefined && one.issuer !== by.issuer) return false;
  if (one.subject !== undefined && one.subject !== by.subject) return false;
  return (by.issuedAt ?? 0) < (one.issuedBefore ?? Infinity);
}

describe('Revocations', () => {
  it('covers the tokens that have all that is named, and no others', async () => {
    const byToken = await revocations({ tokenId: 't' });
    expect(byToken.revokes({ tokenId: 't', subject: 'anybody', issuedAt: Date.now() })).toBe(true);
    expect(byToken.revokes({ tokenId: 'u', subject: 't' })).toBe(false);
    expect(byToken.revokes({})).toBe(false);
    const bySubject = await revocations({ subject: 's', issuedBefore: 1_000 });
    expect(bySubject.revokes({ subject: 's', issuedAt: 999 })).toBe(true);
    expect(bySubject.revokes({ subject: 's' })).toBe(true);
    expect(bySubject.revokes({ subject: 's', issuedAt: 1_000 })).toBe(false);
    expect(bySubject.revokes({ tokenId: 's' })).toBe(false);
    const both = await revocations({ tokenId: 't', subject: 's' });
    expect(both.revokes({ tokenId: 't', subject: 's' })).toBe(true);
    expect(both.revokes({ tokenId: 't' })).toBe(false);
    const everybody = await revocations({ issuedBefore: 1_000 });
    expect(everybody.revokes({ issuedAt: 5 })).toBe(true);
  });

  it('never lets somebody in again because of a later revocation', async () => {
    const name = fc.option(fc.constantFrom('a', 'b', '', '"', 'a","subject":"b'), { nil: undefined });
    const time = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined });
    const revocation = fc.record({ tokenId: name, issuer: name, subject: name, issuedBefore: time });
    const caller = fc.record({ tokenId: name, issuer: name, subject: name, issuedAt: time });
    await fc.assert(
      fc.asyncProperty(
        fc.array(revocation, { maxLength: 8 }),
        fc.array(caller, { maxLength: 8 }),
        async (given, callers) => {
          const clean = given.map(withoutUndefined) as Revocation[];
          const all = await revocations(...clean);
          for (const by of callers.map(withoutUndefined) as Caller[]) {
            expect(all.revokes(by)).toBe(clean.some((one) => covers(one, by)));
          }
        },
      ),
    );
  });

  it('is bounded, and has room for revoking everything even when it is full', async () => {
    const all = await revocations();
    // The same end, so that the same revocation has the same name.
    const expiresAt = Date.now() + OPTIONS.maxTokenAge;
    for (let index = 0; index < 100_000; index += 1) await all.add({ tokenId: String(index), expiresAt });
    await expect(all.add({ tokenId: 'one more', expiresAt })).rejects.toMatchObject({ code: 'revocations-too-many' });
    await all.add({ tokenId: '7', expiresAt });
    await all.add({ issuedBefore: 1_000 });
    expect(all.revokes({ issuedAt: 999 })).toBe(true);
    expect(all.revokes({ tokenId: '99999', issuedAt: 2_000 })).toBe(true);
  });

  it('means the subject of the issuer that it names, and not another one of the same name', async () => {
    const all = await revocations({ subject: 's', issuer: 'a' });
    expect(all.revokes({ subject: 's', issuer: 'a' })).toBe(true);
    expect(all.revokes({ subject: 's', issuer: 'b' })).toBe(false);
    expect(all.revokes({ subject: 's' })).toBe(false);
  });

  it('is over once no token can be meant any more, and makes room', async () => {
    jest.useFakeTimers();
    const state = new MemoryState(0);
    const forgotten: string[] = [];
    jest.spyOn(state, 'forgetRevoked').mockImplementation((names) => {
      forgotten.push(...names);
      return Promise.resolve();
    });
    const all = new Revocations(state, NO_STREAMS, OPTIONS);
    await all.onModuleInit();
    try {
      const soon = Date.now() + 30_000;
      await all.add({ tokenId: 't', expiresAt: soon });
      await all.add({ subject: 's' });
      expect([all.revokes({ tokenId: 't' }), all.revokes({ subject: 's' })]).toEqual([true, true]);
      await jest.advanceTimersByTimeAsync(30_000);
      expect([all.revokes({ tokenId: 't' }), all.revokes({ subject: 's' })]).toEqual([false, true]);
      await jest.advanceTimersByTimeAsync(60_000);
      expect(forgotten).toEqual([expect.stringContaining('"t"')]);
      await jest.advanceTimersByTimeAsync(OPTIONS.maxTokenAge + 3_660_000);
      expect(all.revokes({ subject: 's' })).toBe(false);
      expect(forgotten).toHaveLength(2);
    } finally {
      await all.beforeApplicationShutdown();
      jest.useRealTimers();
    }
  });

  it('outlives a clock that is set forward for a moment, which must let nobody in again', async () => {
    jest.useFakeTimers();
    const all = new Revocations(new MemoryState(0), NO_STREAMS, OPTIONS);
    await all.onModuleInit();
    try {
      await all.add({ tokenId: 't', expiresAt: Date.now() + 3_600_000 });
      // It has just been looked for what is over, and is again in a minute.
      await jest.advanceTimersByTimeAsync(59_000);
      const now = Date.now();
      jest.setSystemTime(now + 90_000_000);
      expect(all.revokes({ tokenId: 't' })).toBe(true);
      await jest.advanceTimersByTimeAsync(2_000);
      jest.setSystemTime(now + 2_000);
      expect(all.revokes({ tokenId: 't' })).toBe(true);
    } finally {
      await all.beforeApplicationShutdown();
      jest.useRealTimers();
    }
  });

  it('is kept by what an earlier version has stored, which had no end and no issuer', async () => {
    const state = new MemoryState(0);
    jest.spyOn(state, 'revocations').mockResolvedValue([['{"subject":"s"}', Infinity]]);
    const all = new Revocations(state, NO_STREAMS, OPTIONS);
    await all.onModuleInit();
    expect(all.revokes({ subject: 's', issuer: 'a', issuedAt: Date.now() })).toBe(true);
    await all.beforeApplicationShutdown();
  });

  it('ends the stream of somebody who was let in before, whenever it opens', async () => {
    const streams = new StreamRegistry({ heartbeat: 0, maxAge: 0, writeTimeout: 1_000 });
    const all = new Revocations(new MemoryState(0), streams, OPTIONS);
    await all.add({ subject: 's' });
    const ended = ['s', 'other'].map((subject) => {
      const stream = streamOf({ subject });
      streams.add(stream);
      return stream.end.mock.calls;
    });
    expect(ended).toEqual([[['revoked']], []]);
  });
});

/** A stream that only its end is asked of. */
function streamOf(caller: Caller): OpenStream & { end: jest.Mock<OpenStream['end']> } {
  return {
    openedAt: 0,
    lastWriteAt: 0,
    fullSince: 0,
    endedAt: 0,
    serial: 0,
    info: { requestId: '', address: '', caller },
    describe: () => ({}),
    detail: () => ({}),
    heartbeat: () => undefined,
    tellOfEnd: () => undefined,
    end: jest.fn<OpenStream['end']>(),
    cut: () => undefined,
    finished: () => Promise.resolve(),
  };
}

describe('Revocations that fail in a way that nobody expects', () => {
  it('are asked for again, and said to have failed once', async () => {
    jest.useFakeTimers();
    const state = new MemoryState(0);
    const all = new Revocations(state, NO_STREAMS, OPTIONS);
    await all.onModuleInit();
    const logged = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    const asked = jest.spyOn(state, 'revocations').mockRejectedValue(new TypeError('not expected'));
    try {
      await jest.advanceTimersByTimeAsync(3_000);
      expect(asked).toHaveBeenCalledTimes(3);
      expect(logged).toHaveBeenCalledTimes(1);
      asked.mockResolvedValue([['{"subject":"s"}', Infinity]]);
      await jest.advanceTimersByTimeAsync(1_000);
      expect(all.revokes({ subject: 's' })).toBe(true);
    } finally {
      await all.beforeApplicationShutdown();
      logged.mockRestore();
      jest.useRealTimers();
    }
  });
});

function withoutUndefined(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
