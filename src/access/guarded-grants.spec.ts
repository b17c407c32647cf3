import { Logger } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { CapturedLog } from '../../test/support/captured-log.js';
import { ANONYMOUS, type Grants, ownGrants, UNLIMITED } from './grants.js';
import { GuardedGrants } from './guarded-grants.js';

const SOUND: Grants = { subject: 'ann', readKey: 'a', canPublish: ([topic]) => topic === 'a', canRead: () => true };

let log: CapturedLog;
let guarded: GuardedGrants;

beforeEach(() => {
  log = new CapturedLog();
  Logger.overrideLogger(log);
  guarded = new GuardedGrants();
});

describe('guarded grants', () => {
  it('answer as those that they guard, and keep what else the application has put there', () => {
    const grants = guarded.of({ ...SOUND, isAdmin: true, user: { name: 'ann' } } as Grants);
    expect(grants).toMatchObject({ subject: 'ann', isAdmin: true, user: { name: 'ann' } });
    expect([grants.canPublish(['a']), grants.canPublish(['b']), grants.canRead(['b'])]).toEqual([true, false, true]);
    expect(grants.payloadFor?.('a')).toBeUndefined();
  });

  it('ask an instance of a class by its own methods and getters', () => {
    class Own implements Grants {
      readonly #rooms = new Set(['a']);
      get readKey(): string {
        return [...this.#rooms].join(' ');
      }
      canPublish(): boolean {
        return false;
      }
      canRead(topics: readonly string[]): boolean {
        return topics.some((topic) => this.#rooms.has(topic));
      }
    }
    const grants = guarded.of(new Own());
    expect([grants.canRead(['a']), grants.canRead(['b']), grants.canPublish(['a'])]).toEqual([true, false, false]);
    expect(log.errors).toEqual([]);
  });

  it('are guarded once, and the hub’s own not at all', () => {
    const grants = guarded.of(SOUND);
    expect(guarded.of(grants)).toBe(grants);
    expect([guarded.of(ANONYMOUS), guarded.of(UNLIMITED)]).toEqual([ANONYMOUS, UNLIMITED]);
  });

  it('share no stream with the hub’s own by calling themselves so', () => {
    expect(guarded.of({ ...SOUND, readKey: ANONYMOUS.readKey }).readKey).not.toBe(ANONYMOUS.readKey);
    expect(guarded.of({ ...SOUND, readKey: 'b' }).readKey).not.toBe(guarded.of(SOUND).readKey);
  });

  it('say once what fails with each update, and nothing of topics', () => {
    const grants = guarded.of({
      ...SOUND,
      canRead: () => {
        throw new Error('the store is away');
      },
      canPublish: () => 'yes' as unknown as boolean,
    });
    for (let count = 0; count < 1_000; count += 1) {
      expect(grants.canRead(['urn:secret'])).toBe(false);
      expect(grants.canPublish(['urn:secret'])).toBe(false);
    }
    expect(log.errors).toEqual([
      expect.objectContaining({ part: 'canRead', reason: expect.stringContaining('the store is away') }),
      expect.objectContaining({ part: 'canPublish', reason: 'It answered with a string.' }),
    ]);
    expect(JSON.stringify(log.errors)).not.toContain('urn:secret');
  });

  it('that are of no use say which part of them is wrong', () => {
    const grants = guarded.of({ ...SOUND, readKey: 7 } as unknown as Grants);
    expect([grants.canPublish(['a']), grants.canRead(['a'])]).toEqual([false, false]);
    expect(log.errors).toEqual([
      expect.objectContaining({ part: 'grants', reason: expect.stringContaining('readKey') }),
    ]);
  });

  it("leave the hub's own as they are, also those of tokens, and guard what is made of them", () => {
    const own = ownGrants({ ...SOUND, readKey: 'token x' });
    for (const grants of [ANONYMOUS, UNLIMITED, own]) expect(guarded.of(grants)).toBe(grants);
    expect(guarded.of({ ...own }).readKey).toBe('application token x');
  });
});
