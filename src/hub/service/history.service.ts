import { Inject, Injectable } from '@nestjs/common';
import type { Grants } from '../../access/grants.js';
import { GuardedGrants } from '../../access/guarded-grants.js';
import { HubError } from '../../access/hub.errors.js';
import { Background } from '../../shared/background.js';
import {
  type Entry,
  isPresence,
  isWhole,
  Journal,
  JournalUnavailableError,
  type Reading,
} from '../../storage/journal/journal.js';
import type { HeldTopic } from '../../storage/journal/topics/topic-lookup.js';
import { type Update, weightOf } from '../../storage/journal/update.js';
import { Cursors, isCursor } from '../cursors/cursors.js';
import { mayRead } from '../delivery/cohort.js';
import { topicsToName } from '../delivery/topic-naming.js';
import { RemovedIds } from '../explain/removed-ids.js';
import { History } from '../history/history.js';
import { type PastUpdate, timeOf } from '../history/past-update.js';
import { Removal, type Removed } from '../history/removal.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';
import { Interest } from '../matching/interest.js';
import type { Matcher } from '../matching/matcher.js';
import { HUB_OPTIONS, type HubOptions } from './hub.options.js';
import type { Wanted } from './starts.js';

export type { PastUpdate } from '../history/past-update.js';

export interface HistoryRequest {
  readonly matchers: readonly Matcher[];
  readonly grants: Grants;
  /** Updates after the one with this id, or after this cursor. */
  readonly after?: string | undefined;
  /** Updates before the one with this id, or before what follows this cursor. */
  readonly before?: string | undefined;
  /** Default: the newest first, and the oldest first after an id. */
  readonly order?: 'asc' | 'desc' | undefined;
  /** At most so many updates, up to `HUB_LIMITS.history.updates`. Default: 100. */
  readonly limit?: number | undefined;
  /** Whether nobody waits for the answer any more. */
  readonly isOver?: () => boolean;
}

export interface PastUpdates {
  readonly updates: readonly PastUpdate[];
  /** Asks for the next page in place of `after` or `before`; undefined where there is no more. */
  readonly next: { readonly after: string } | { readonly before: string } | undefined;
}

/** The newest held update of each topic. */
export interface LatestUpdates {
  /** In the order of the log, each once, also where it has several of the topics. */
  readonly updates: readonly PastUpdate[];
  /** False where there are more topics, or larger updates, than are given at once: then these are the newest. */
  readonly isComplete: boolean;
}

/** By whom an update is seen. */
interface Seen {
  readonly interest: Interest;
  readonly grants: Grants;
  readonly isOver: () => boolean;
}

export interface TopicsRequest {
  readonly prefix: string;
  readonly limit: number;
  /** What the page before gave as `next`. */
  readonly from?: string | undefined;
}

export interface TopicsPage {
  readonly topics: readonly PastTopic[];
  readonly next: string | undefined;
}

/** A topic of held updates. */
export interface PastTopic {
  readonly topic: string;
  /** How many held updates have it. */
  readonly count: number;
  /** The id of the newest of them, and when it was published, where that is known. */
  readonly newestId: string | undefined;
  readonly newestTime: Date | undefined;
}

const DEFAULT_LIMIT = 100;

/** Entries that are read at their positions together. */
const READ_TOGETHER = 100;

/** The same, where each may be large. */
const FEW = 16;

/** Bytes of the updates that are given at once within the process, about. */
const LARGEST_ANSWER = 16 * 1024 ** 2;

/** Held updates for who asks for them once: for a page that is made on a server, or a client that starts. */
@Injectable()
export class HistoryService {
  /** @internal The ids of the updates that this process has taken out last. */
  readonly removedIds = new RemovedIds();
  private readonly background = new Background();
  private readonly history: History;
  private readonly removal: Removal;
  private readonly cursors: Cursors;

  /** @internal Nest calls it. */
  constructor(
    private readonly journal: Journal,
    private readonly guarded: GuardedGrants,
    @Inject(HUB_OPTIONS) private readonly options: HubOptions,
  ) {
    this.history = new History(journal, this.background);
    this.removal = new Removal(journal, this.history, options.hubUrl);
    this.cursors = new Cursors(journal);
  }

  /**
   * The updates that are matched and may be read, with the grants of this moment.
   * @throws {HubError} `id-not-held`; {@link JournalUnavailableError} when the journal can't be read.
   */
  async find(request: HistoryRequest): Promise<PastUpdates> {
    const { matchers, isOver = () => false, limit = DEFAULT_LIMIT } = request;
    const interest = new Interest(matchers, this.options.hubUrl);
    const grants = this.guarded.of(request.grants);
    const isAscending = (request.order ?? (request.after === undefined ? 'desc' : 'asc')) === 'asc';
    const page = await this.history.page({
      interest,
      mayRead: (update) => mayRead(update, grants),
      after: request.after === undefined ? 0 : await this.positionOf(request.after),
      before: request.before === undefined ? this.journal.head + 1 : await this.positionOf(request.before),
      order: isAscending ? 'oldest-first' : 'newest-first',
      limit: Math.min(limit, HUB_LIMITS.history.updates),
      isOver,
    });
    const updates = await this.allAsSeen(page.entries, { interest, grants, isOver });
    if (page.next === undefined) return { updates, next: undefined };
    const cursor = this.cursors.fixedName({ position: page.next, id: undefined });
    return { updates, next: isAscending ? { after: cursor } : { before: cursor } };
  }

  /**
   * The topics of held updates that begin with a text, in an order that does not change. `next` asks for the next page.
   * @throws {JournalUnavailableError} while the journal can't find updates by topic.
   */
  async topics({ prefix, limit, from }: TopicsRequest): Promise<TopicsPage> {
    const { topics: lookup } = this.journal;
    if (!lookup) throw new JournalUnavailableError('The index of topics is being built: try again later.');
    const { topics, next } = lookup.topics({ by: 'text', prefix, limit, from });
    const newest = new Map<number, Newest>();
    const positions = new Set(topics.map((topic) => topic.newest));
    for await (const { position, update, storedAt } of this.entriesAt([...positions])) {
      newest.set(position, { id: update.id, storedAt });
    }
    return { topics: topics.map((topic) => pastTopicOf(topic, newest.get(topic.newest))), next };
  }

  /**
   * @internal
   * The updates at these positions, which are in order, as somebody may see them. Where they are too large together, the
   * newest ones.
   */
  async at(positions: readonly number[], { matchers, grants, isOver }: Wanted): Promise<LatestUpdates> {
    const seen = { interest: new Interest(matchers, this.options.hubUrl), grants: this.guarded.of(grants), isOver };
    const updates: PastUpdate[] = [];
    let bytes = 0;
    for (let end = positions.length; end > 0; end -= FEW) {
      // oxlint-disable-next-line no-await-in-loop -- from the newest on, and no further than needed
      for (const entry of await this.newestFirst(positions.slice(Math.max(0, end - FEW), end))) {
        if (bytes >= LARGEST_ANSWER) return { updates: updates.toReversed(), isComplete: false };
        // oxlint-disable-next-line no-await-in-loop -- a step for each update, because patterns may take long
        const past = await this.asSeen(entry, seen);
        if (past) updates.push(past);
        bytes += weightOf(entry.update);
      }
    }
    return { updates: updates.toReversed(), isComplete: true };
  }

  /** @internal Takes updates out of the history for good: see {@link Removal.remove}. */
  remove(what: Removed, tell?: (ids: readonly string[]) => void): Promise<number> {
    return this.removal.remove(what, (ids) => {
      this.removedIds.note(ids);
      tell?.(ids);
    });
  }

  /** In order. The rest is missing once nobody waits for them any more. */
  private async allAsSeen(entries: Iterable<Entry>, seen: Seen): Promise<PastUpdate[]> {
    const updates: PastUpdate[] = [];
    for (const entry of entries) {
      if (seen.isOver()) break;
      // oxlint-disable-next-line no-await-in-loop -- a step for each update, because patterns may take long
      const past = await this.asSeen(entry, seen);
      if (past) updates.push(past);
    }
    return updates;
  }

  /** Undefined where nobody waits for it any more, or something else has taken its place in the log. */
  private async asSeen(entry: Entry, { interest, grants, isOver }: Seen): Promise<PastUpdate | undefined> {
    const { update, storedAt } = entry;
    const matched = await this.background.run(matchedOf(update, interest), isOver);
    if (!matched?.length || !mayRead(update, grants)) return undefined;
    return { ...update, topics: topicsToName(matched, update, interest, grants), time: timeOf(storedAt) };
  }

  private async newestFirst(positions: readonly number[]): Promise<Entry[]> {
    const entries: Entry[] = [];
    for await (const entry of this.entriesAt(positions)) entries.push(entry);
    return entries.toReversed();
  }

  private async *entriesAt(positions: readonly number[]): AsyncGenerator<Entry> {
    let left: readonly number[] = positions.toSorted((one, other) => one - other);
    const read = (): Promise<Reading> => this.journal.readAt(left.slice(0, READ_TOGETHER));
    while (left.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- each part begins where the one before has ended
      const { entries, upTo } = await this.background.do(read);
      for (const entry of entries) if (!isPresence(entry) && isWhole(entry)) yield entry;
      left = left.filter((position) => position > upTo);
    }
  }

  private async positionOf(id: string): Promise<number> {
    if (id === 'earliest') return 0;
    const place = isCursor(id) ? await this.cursors.locate(id) : undefined;
    const position = place?.position ?? (await this.journal.locate(id));
    if (position !== undefined) return position;
    throw new HubError('id-not-held', 'There is no update with this id in the history (any more).');
  }
}

function* matchedOf(update: Update, interest: Interest): Generator<void, string[]> {
  const matched: string[] = [];
  for (const topic of update.topics) {
    if (yield* interest.search([topic])) matched.push(topic);
    yield;
  }
  return matched;
}

/** What is told of the newest update of a topic. */
type Newest = Pick<Entry, 'storedAt'> & { readonly id: string };

function pastTopicOf({ topic, count }: HeldTopic, newest: Newest | undefined): PastTopic {
  return { topic, count, newestId: newest?.id, newestTime: timeOf(newest?.storedAt) };
}
