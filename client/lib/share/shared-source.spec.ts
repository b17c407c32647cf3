import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HeraldError } from '../errors.js';
import type { Source, SourceListener } from '../wire.js';
import type { Candidate, Election } from './election.js';
import { SharedSource } from './shared-source.js';

/** A tab that leads when the test says so, over streams that do what the test says. */
class Tab implements Election {
  /** The states and refusals that it was told of. */
  readonly told: string[] = [];
  readonly source: SharedSource;
  /** Of its last term. */
  streams: SourceListener | undefined;
  private candidate: Candidate | undefined;
  private wake: () => void = () => undefined;

  constructor() {
    const ignored = ['message', 'notice', 'covers', 'missed', 'error'].map((name) => [name, () => undefined]);
    const listener = {
      ...Object.fromEntries(ignored),
      state: (state: string) => this.note(state),
      refused: (matcher: string) => this.note(`refused ${matcher}`),
    } as unknown as SourceListener;
    const connect = (streams: SourceListener): Source => {
      this.streams = streams;
      const acts = ['want', 'hurry', 'offline', 'suspend', 'resume', 'close'].map((name) => [name, () => undefined]);
      return { ...Object.fromEntries(acts), cursorOf: () => '' } as Source;
    };
    this.source = new SharedSource({ name: 'some tabs', election: this, connect, patience: 60_000 }, listener);
    this.source.want([['match=a']]);
  }

  lead(): void {
    this.candidate?.elected();
  }

  /** Resolves once it was told of this. What comes later was not told before. */
  async hears(what: string): Promise<void> {
    while (!this.told.includes(what)) await new Promise<void>((resolve) => (this.wake = resolve));
  }

  stand(candidate: Candidate): void {
    this.candidate = candidate;
  }

  seize(): void {}
  leave(): void {}

  private note(what: string): void {
    this.told.push(what);
    this.wake();
  }
}

describe('a tab that leads once more', () => {
  let first: Tab;
  let second: Tab;

  beforeEach(() => {
    first = new Tab();
    first.lead();
  });

  afterEach(() => {
    first.source.close();
    second.source.close();
  });

  /** It is put aside by the browser, and is back. */
  function leadAgain(): void {
    first.source.suspend();
    first.source.resume();
    first.lead();
  }

  it('does not tell others that it has failed before', async () => {
    second = new Tab();
    first.streams?.state('failed');
    leadAgain();
    first.streams?.state('connecting');
    await second.hears('connecting');

    expect(second.told).toEqual(['connecting']);
    expect(first.told).toEqual(['failed', 'idle', 'connecting']);
  });

  it('does not tell others what was refused before', async () => {
    first.streams?.refused('match=a', new HeraldError('refused', 'why'));
    leadAgain();
    second = new Tab();
    first.streams?.state('open');
    await second.hears('open');

    expect(second.told).toEqual(['open']);
  });
});
