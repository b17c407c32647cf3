import type { Readable } from 'node:stream';
import { Observable, type Subscriber } from 'rxjs';
import type { Grants } from '../../access/grants.js';
import type { Resumable } from '../../streams/nest-sse/resumable.js';
import type { NoticeRecord, UpdateRecord } from '../delivery/log/record.js';
import { type PastUpdate, timeOf } from '../history/past-update.js';

/**
 * An update on its way to whoever follows the log in the process. The id is where `since` and `after` go on from. It has
 * what a `MessageEvent` of Nest's has, so `@Sse()` handlers can give it as it is.
 */
export type HubUpdate = PastUpdate;

/** What the hub says of the updates that it gives, as the notices of a stream do (`docs/protocol.md`). */
export interface HubNotice {
  /**
   * - `cursor`: a new name of the place in the log, for whoever has had no update for long.
   * - `caught-up`: what was held when it began has been given.
   * - `gap`: updates are missing, for the `reason`.
   * - `reset`: the log has lost updates that were given already; others take their places.
   * - `truncated`: there are more topics than `begin: 'latest'` gives.
   * - `expired`, `revoked`, `drain`: the updates end, with the grants or with the process.
   */
  readonly type: string;
  /** Why updates are missing: `trimmed`, `not-held`, `damaged` or `presence`. */
  readonly reason?: string;
  /** How many are missing at most, of all topics, where that is known. */
  readonly updates?: number;
  /** How many topics were given. */
  readonly topics?: number;
  /** A name of the place in the log, to go on from. */
  readonly id?: string | undefined;
}

/** Where updates begin, and who gets them. */
export interface UpdatesOptions {
  /** After the update with this id, or after a cursor; `earliest` is all that is held. Default: what comes from now on. */
  readonly since?: string | undefined;
  /** Without `since`: begins with the newest updates that are held, at most so many. */
  readonly last?: number | undefined;
  /** Without `since`, or where that is not held any more: begins with the newest update of each topic. */
  readonly begin?: 'latest' | undefined;
  /** What the reader may read. Default: everything. The updates end when they expire or are revoked. */
  readonly grants?: Grants | undefined;
  /** Ends the updates. */
  readonly signal?: AbortSignal | undefined;
  /** Is told what the hub says, in its place among the updates. */
  readonly onNotice?: ((notice: HubNotice) => void) | undefined;
}

/** Opens a reader, and gives a stream of its records. */
export type Follow = (options: UpdatesOptions) => Readable;

/**
 * The updates of some topics, from the log: each of them once, in order, and what was published while nobody looked as well.
 * Each subscription, and each `for await`, is a reader of its own. It completes when the process ends, when the grants do, or
 * once `signal` is aborted. While the journal can't be reached it waits.
 *
 * A subscriber is called as fast as the updates come. Where an update takes long, `for await` is the way: it reads on from
 * the log when the loop comes round, and so holds a few updates at most, however far it is behind.
 */
export class HubUpdates extends Observable<HubUpdate> implements AsyncIterable<HubUpdate>, Resumable<HubUpdate> {
  constructor(
    private readonly follow: Follow,
    private readonly options: UpdatesOptions,
  ) {
    super((subscriber) => deliver(follow(options), options, subscriber));
  }

  /**
   * The same updates, from after the one that has this id, which is what a client brings as its `Last-Event-ID`.
   * @param id where that is undefined or empty, they begin as these do.
   * @param onNotice is told beside the one in the options.
   */
  after(id: string | undefined, onNotice?: (notice: HubNotice) => void): HubUpdates {
    const { options } = this;
    const tell = (notice: HubNotice): void => {
      options.onNotice?.(notice);
      onNotice?.(notice);
    };
    return new HubUpdates(this.follow, {
      ...options,
      ...(onNotice && { onNotice: tell }),
      ...(id !== undefined && id !== '' && { since: id }),
    });
  }

  [Symbol.asyncIterator](): AsyncGenerator<HubUpdate, void, undefined> {
    return read(this.follow(this.options), this.options);
  }
}

type Item = UpdateRecord | NoticeRecord;

function deliver(items: Readable, { onNotice }: UpdatesOptions, subscriber: Subscriber<HubUpdate>): () => void {
  items
    .on('data', (item: Item) => {
      if (subscriber.closed) return;
      if (!isNotice(item)) return subscriber.next(updateOf(item));
      try {
        onNotice?.(noticeOf(item));
      } catch (error) {
        subscriber.error(error);
      }
    })
    .on('error', (error) => subscriber.error(error))
    .on('close', () => subscriber.complete());
  return () => void items.destroy();
}

async function* read(items: Readable, { onNotice }: UpdatesOptions): AsyncGenerator<HubUpdate, void, undefined> {
  try {
    for await (const item of items as AsyncIterable<Item>) {
      if (isNotice(item)) onNotice?.(noticeOf(item));
      else yield updateOf(item);
    }
  } catch (error) {
    if (!isCut(error)) throw error;
  }
}

function isNotice(item: Item): item is NoticeRecord {
  return 'notice' in item;
}

function noticeOf({ notice, id }: NoticeRecord): HubNotice {
  return { ...notice, ...(id !== undefined && { id }) };
}

function updateOf({ time, ...update }: UpdateRecord): HubUpdate {
  return { ...update, time: timeOf(time) };
}

/** Whether the stream was ended before its end, as it is when the process ends while the reader is behind. */
function isCut(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}
