import type { Readable, Transform } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { UNLIMITED } from '../../access/grants.js';
import type { GuardedGrants } from '../../access/guarded-grants.js';
import { HubError } from '../../access/hub.errors.js';
import { believedNow } from '../../shared/time/steady-clock.js';
import { JournalUnavailableError } from '../../storage/journal/journal.js';
import type { StreamEnd } from '../../streams/registry/stream-end.js';
import type { StreamInfo } from '../../streams/registry/stream-info.js';
import type { StreamRegistry } from '../../streams/registry/stream-registry.js';
import type { FanOut } from '../delivery/fan-out.js';
import { Reader, type ReaderContext } from '../delivery/reader.js';
import { HubUpdates, type UpdatesOptions } from '../in-process/hub-updates.js';
import { InProcessConnection, recordStream } from '../in-process/in-process-connection.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';
import { Interest } from '../matching/interest.js';
import type { Matcher } from '../matching/matcher.js';
import type { Start, Starts, Wanted } from './starts.js';

/** Milliseconds after which a place is looked for again, where the journal could not be read. */
const RETRY_AFTER = 1_000;

/** Milliseconds between two looks for grants that are over. */
const PERIOD = 1_000;

/** What following the log needs of the hub. */
interface FollowersContext {
  readonly readers: ReaderContext;
  readonly fanOut: FanOut;
  readonly starts: Starts;
  readonly guarded: GuardedGrants;
  readonly streams: Pick<StreamRegistry, 'outstanding' | 'reasonAgainst'>;
  readonly hubUrl: URL;
}

/**
 * The readers that are in the same process: the same as those of streams, with a stream of objects in the place of a socket.
 * They count among no connections, and have neither heartbeats nor an age.
 */
export class Followers {
  /** By their items, with their connections as soon as it is known where they begin. */
  private readonly open = new Map<Transform, InProcessConnection | undefined>();
  private readonly readers: ReaderContext;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(private readonly context: FollowersContext) {
    this.readers = {
      ...context.readers,
      onOver: ({ cohort }) => context.fanOut.release(cohort),
      onClosed: () => undefined,
    };
  }

  /** @throws {HubError} `last-invalid` */
  updates(matchers: readonly Matcher[], options: UpdatesOptions): HubUpdates {
    const { last = 1 } = options;
    if (!Number.isInteger(last) || last < 1 || last > HUB_LIMITS.last) {
      throw new HubError('last-invalid', `The number of updates must be from 1 to ${HUB_LIMITS.last}.`);
    }
    return new HubUpdates((given) => this.follow(matchers, given), options);
  }

  /** Ends all of them, because the process ends. */
  close(): void {
    this.isClosed = true;
    for (const [items, connection] of this.open) {
      if (connection) connection.end('drain');
      else items.end();
    }
  }

  private follow(matchers: readonly Matcher[], options: UpdatesOptions): Readable {
    const items = recordStream();
    this.open.set(items, undefined);
    this.timer ??= setInterval(() => this.endOver(), PERIOD).unref();
    items.once('close', () => this.forget(items));
    endWith(options.signal, items);
    if (this.isClosed) items.end();
    else void this.begin(items, matchers, options);
    return items;
  }

  private async begin(items: Transform, matchers: readonly Matcher[], options: UpdatesOptions): Promise<void> {
    const isOver = (): boolean => items.destroyed || items.writableEnded;
    const wanted = { matchers, grants: this.context.guarded.of(options.grants ?? UNLIMITED), isOver };
    try {
      const start = this.startOf(options, wanted);
      // What is published in this turn, after the call, comes from now on.
      this.read(items, wanted, start instanceof Promise ? await start : start);
    } catch (error) {
      if (!(error instanceof JournalUnavailableError)) return void items.destroy(asError(error));
      await delay(RETRY_AFTER, undefined, { ref: false });
      if (!isOver()) await this.begin(items, matchers, options);
    }
  }

  private startOf({ since, last, begin }: UpdatesOptions, wanted: Wanted): Start | Promise<Start> {
    const { starts } = this.context;
    const isNew = since === undefined || since === '';
    if (isNew && last !== undefined) return starts.locateNewest(last, wanted);
    if (isNew && begin === 'latest') return starts.locateLatest(wanted, false);
    if (isNew) return starts.now;
    return begin === 'latest' ? this.locateOrLatest(since, wanted) : starts.locate(since);
  }

  private async locateOrLatest(since: string, wanted: Wanted): Promise<Start> {
    const { starts } = this.context;
    const start = await starts.locate(since);
    return start.isGap ? starts.locateLatest(wanted, true) : start;
  }

  private read(items: Transform, { matchers, grants, isOver }: Wanted, start: Start): void {
    if (isOver()) return;
    const { fanOut, starts, streams, hubUrl } = this.context;
    const interest = new Interest(matchers, hubUrl);
    if (!fanOut.accepts(interest)) {
      throw new HubError('overloaded', 'There are too many patterns that have to be looked at for each update.');
    }
    const connection = new InProcessConnection(items, streams.outstanding);
    connection.info = { requestId: '', address: '', caller: grants };
    const cohort = fanOut.cohortFor(interest, grants, { asRecords: true, hasCursors: true });
    const { place = starts.newestPlace, history, plan, isResuming, isGap, truncatedTo } = start;
    const greeting = isResuming ? 'caught-up' : 'cursor';
    const beginning = { cursor: place.position, id: place.id, history, plan, greeting } as const;
    const reader = new Reader(connection, cohort, beginning, this.readers);
    this.open.set(items, connection);
    const reason = this.reasonAgainst(connection.info);
    if (reason !== undefined) return connection.end(reason);
    if (isGap) reader.missId();
    if (truncatedTo !== undefined) reader.truncate(truncatedTo);
    reader.begin();
  }

  private endOver(): void {
    for (const connection of this.open.values()) {
      const reason = connection && this.reasonAgainst(connection.info);
      if (reason !== undefined) connection?.end(reason);
    }
  }

  /** Why this reader may not go on. Where its grants end before the next look, that is now (R62). */
  private reasonAgainst(info: StreamInfo): StreamEnd | undefined {
    const { caller } = info;
    // The application itself is nobody whose tokens could be revoked.
    if (caller === UNLIMITED) return undefined;
    const isExpired = caller.expiresAt !== undefined && caller.expiresAt <= believedNow() + PERIOD;
    return isExpired ? 'expired' : this.context.streams.reasonAgainst(info);
  }

  private forget(items: Transform): void {
    this.open.delete(items);
    if (this.open.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

function endWith(signal: AbortSignal | undefined, items: Readable): void {
  if (!signal) return;
  const end = (): void => void items.destroy();
  if (signal.aborted) return end();
  signal.addEventListener('abort', end, { once: true });
  items.once('close', () => signal.removeEventListener('abort', end));
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('A value that is no error was thrown.');
}
