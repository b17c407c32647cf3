import { describe, expect, it } from '@jest/globals';
import { hasPassed } from './report.js';
import { soak } from './soak.js';

/** Bytes: without the leak a hub takes some megabytes more in its first seconds, and with it some ten. */
const GROSS = 20 * 1024 ** 2;

describe('a soak', () => {
  it('is red for a hub that leaks', async () => {
    const { signal } = new AbortController();
    const say = (): void => undefined;
    const brief = { minutes: 0.1, readers: 60, warmUp: 0.5, isBrief: true };
    const soaked = await soak({ journal: 'memory', seed: 7, leaks: true, signal, say, ...brief });
    expect(soaked.faults).toEqual([]);
    const heap = soaked.findings.find(({ measure }) => measure === 'heap');
    expect(heap?.fault).toBe('differs');
    expect((heap?.end ?? 0) - (heap?.start ?? 0)).toBeGreaterThan(GROSS);
    expect(hasPassed(soaked)).toBe(false);
  }, 120_000);
});
