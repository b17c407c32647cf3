import { Inject, Injectable } from '@nestjs/common';
import type { Grants } from '../../access/grants.js';
import { GuardedGrants } from '../../access/guarded-grants.js';
import { HubError } from '../../access/hub.errors.js';
import { Background } from '../../shared/background.js';
import { Journal } from '../../storage/journal/journal.js';
import type { Update } from '../../storage/journal/update.js';
import { Cursors, isCursor } from '../cursors/cursors.js';
import { mayRead } from '../delivery/cohort.js';
import { topicsToName } from '../delivery/topic-naming.js';
import { History } from '../history/history.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';
import { Interest } from '../matching/interest.js';
import type { Matcher } from '../matching/matcher.js';
import { HUB_OPTIONS, type HubOptions } from './hub.options.js';

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

/** An update as somebody may see it who asks for the history. */
export interface PastUpdate extends Omit<Update, 'topics'> {
  /** Those of its topics that the asker may be told. */
  readonly topics: readonly string[];
  /** When it was published; undefined where the journal does not know. */
  readonly time: Date | undefined;
}

export interface PastUpdates {
  readonly updates: readonly PastUpdate[];
  /** Asks for the next page in place of `after` or `before`; undefined where there is no more. */
  readonly next: { readonly after: string } | { readonly before: string } | undefined;
}

const DEFAULT_LIMIT = 100;

/** Held updates for who asks for them once: for a page that is made on a server, or a client that starts. */
@Injectable()
export class HistoryService {
  private readonly background = new Background();
  private readonly history: History;
  private readonly cursors: Cursors;

  constructor(
    private readonly journal: Journal,
    private readonly guarded: GuardedGrants,
    @Inject(HUB_OPTIONS) private readonly options: HubOptions,
  ) {
    this.history = new History(journal, this.background);
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
    const updates: PastUpdate[] = [];
    for (const { update, storedAt } of page.entries) {
      // oxlint-disable-next-line no-await-in-loop -- a step for each update, because patterns may take long
      const topics = topicsToName(await this.matchedOf(update, interest), update, interest, grants);
      updates.push({ ...update, topics, time: storedAt === undefined ? undefined : new Date(storedAt) });
    }
    if (page.next === undefined) return { updates, next: undefined };
    const cursor = this.cursors.fixedName({ position: page.next, id: undefined });
    return { updates, next: isAscending ? { after: cursor } : { before: cursor } };
  }

  private async positionOf(id: string): Promise<number> {
    if (id === 'earliest') return 0;
    const place = isCursor(id) ? await this.cursors.locate(id) : undefined;
    const position = place?.position ?? (await this.journal.locate(id));
    if (position !== undefined) return position;
    throw new HubError('id-not-held', 'There is no update with this id in the history (any more).');
  }

  private matchedOf(update: Update, interest: Interest): Promise<string[]> {
    function* steps(): Generator<void, string[]> {
      const matched: string[] = [];
      for (const topic of update.topics) if (yield* interest.search([topic])) matched.push(topic);
      return matched;
    }
    return this.background.run(steps());
  }
}
