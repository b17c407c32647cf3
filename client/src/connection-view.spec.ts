import { describe, expect, it } from '@jest/globals';
import { appearanceOf } from './connection-view.js';

const NOW = 100_000;

describe('appearanceOf', () => {
  it('does not make a failure of a short reconnection', () => {
    const state = { name: 'reconnecting', since: NOW - 4_000 } as const;

    expect(appearanceOf(state, NOW, false)).toMatchObject({ look: 'busy', word: 'reconnecting', announced: false });
  });

  it('calls a long one a loss, which the reader can do something about', () => {
    const state = { name: 'reconnecting', since: NOW - 5_000 } as const;

    expect(appearanceOf(state, NOW, false)).toMatchObject({ look: 'lost', word: 'lost', retryable: true });
  });

  it('says that the server restarts when the server has said so', () => {
    const state = { name: 'reconnecting', since: NOW } as const;

    expect(appearanceOf(state, NOW, true)).toMatchObject({ look: 'busy', word: 'restarting', announced: true });
    expect(appearanceOf({ name: 'waiting', until: NOW }, NOW, true)).toMatchObject({ word: 'restarting' });
    expect(appearanceOf({ name: 'open', away: 0 }, NOW, true)).toMatchObject({ look: 'open', word: 'open' });
  });

  it('counts down to the next attempt, and never below it', () => {
    expect(appearanceOf({ name: 'waiting', until: NOW + 7_000 }, NOW, false)).toMatchObject({ retryIn: 7_000 });
    expect(appearanceOf({ name: 'waiting', until: NOW - 10 }, NOW, false)).toMatchObject({ retryIn: 0 });
  });

  it('keeps the look of a loss during further attempts', () => {
    expect(appearanceOf({ name: 'connecting', again: true }, NOW, false)).toMatchObject({ look: 'lost' });
    expect(appearanceOf({ name: 'connecting', again: false }, NOW, false)).toMatchObject({ look: 'busy' });
  });

  it('leaves a failure to its alert', () => {
    expect(appearanceOf({ name: 'failed' }, NOW, false)).toStrictEqual({
      look: 'failed',
      word: 'failed',
      retryable: true,
      announced: false,
    });
  });
});
