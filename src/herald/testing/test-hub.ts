import type { InjectionToken, OnApplicationShutdown } from '@nestjs/common';
import type { Caller } from '../../access/caller.js';
import type { Grants } from '../../access/grants.js';
import type { GuardedGrants } from '../../access/guarded-grants.js';
import { mayRead } from '../../hub/delivery/cohort.js';
import { Interest } from '../../hub/matching/interest.js';
import { parseMatcher } from '../../hub/matching/matcher.js';
import { type Entry, isPresence, isWhole, type Journal, type ReadEntry } from '../../storage/journal/journal.js';
import type { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { TestReader, type TestUpdate } from './test-reader.js';

export type { TestUpdate } from './test-reader.js';

/** An exact topic or `*`, or a matcher of another type. */
export type TestMatcher = string | { readonly type: 'exact' | 'urlpattern'; readonly pattern: string };

export interface TestHubOptions {
  readonly hubUrl: URL;
  readonly grantsOf?: ((subject: string) => Grants) | undefined;
}

/** What a test sees of a hub: what was published to it, and what readers would get. */
export class TestHub implements OnApplicationShutdown {
  private readonly readers = new Set<TestReader>();
  private held: { readonly position: number; readonly update: TestUpdate }[] = [];

  /** @internal `HeraldTestingModule` calls it. */
  constructor(
    private readonly journal: Journal,
    private readonly guarded: GuardedGrants,
    private readonly streams: StreamRegistry,
    private readonly options: TestHubOptions,
  ) {
    journal.tail(journal.head, (entries) => this.take(entries));
  }

  /** What was published since the beginning, or since it was cleared, the oldest first. */
  published(): readonly TestUpdate[] {
    return this.held.map(({ update }) => update);
  }

  /**
   * Subscribes, from now on.
   * @param who what they may read, or the subject for which `grantsOf` of the module's options says so.
   * @throws {HubError} where a matcher can't be one.
   */
  subscribeAs(who: Grants | string, matchers: readonly TestMatcher[]): TestReader {
    const { hubUrl } = this.options;
    const grants = this.guarded.of(typeof who === 'string' ? this.grantsOf(who) : who);
    const wanted = matchers.map((one) =>
      typeof one === 'string' ? parseMatcher('exact', one, hubUrl) : parseMatcher(one.type, one.pattern, hubUrl),
    );
    const interest = new Interest(wanted, hubUrl);
    const reader = new TestReader((update) => interest.includes(update.topics) && mayRead(update, grants), grants);
    if (this.isBarred(grants)) reader.end();
    else this.readers.add(reader);
    return reader;
  }

  /** Forgets what was published, so that neither the test nor the hub knows of it. Readers stay subscribed. */
  clear(): void {
    void this.journal.remove(this.held.map(({ position }) => position));
    this.held = [];
    for (const reader of this.readers) reader.clear();
  }

  /** For the hub that it looks at: ends the readers whose grants are revoked, and tells how many they were. */
  endBarred(): number {
    const barred = [...this.readers].filter(({ caller }) => this.isBarred(caller));
    for (const reader of barred) {
      reader.end();
      this.readers.delete(reader);
    }
    return barred.length;
  }

  onApplicationShutdown(): void {
    for (const reader of this.readers) reader.end();
    this.readers.clear();
  }

  private isBarred(caller: Caller): boolean {
    return this.streams.reasonAgainst({ requestId: '', address: '', caller }) !== undefined;
  }

  private grantsOf(subject: string): Grants {
    const { grantsOf } = this.options;
    if (!grantsOf) throw new Error('Nobody says what this subject may read: give `grantsOf`, or grants in its place.');
    return grantsOf(subject);
  }

  private take(entries: readonly ReadEntry[]): void {
    for (const entry of entries) {
      if (isPresence(entry) || !isWhole(entry)) continue;
      const update = toTestUpdate(entry);
      this.held.push({ position: entry.position, update });
      for (const reader of this.readers) if (reader.wants(entry.update)) reader.offer(update);
    }
  }
}

/** What the {@link TestHub} of the hub with this name is injected by: without a name it is the class itself. */
export function testHubToken(name?: string): InjectionToken<TestHub> {
  return name === undefined ? TestHub : `herald test hub ${name}`;
}

function toTestUpdate({ update }: Entry): TestUpdate {
  const { id, topics, data, type, private: isPrivate } = update;
  return { id, topics, data: parsed(data), ...(type !== undefined && { type }), private: isPrivate };
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}
