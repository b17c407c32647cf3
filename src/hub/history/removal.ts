import type { Journal } from '../../storage/journal/journal.js';
import { Interest } from '../matching/interest.js';
import { parseMatcher } from '../matching/matcher.js';
import type { History, HistoryPage } from './history.js';

/** Which updates to take out: those with an id, with a topic, or with a topic that a URL Pattern matches. */
export type Removed = { readonly id: string } | { readonly topic: string } | { readonly urlPattern: string };

/** Updates that are taken out together. */
const TOGETHER = 100;

/** An update that is to be taken out. */
interface Target {
  readonly position: number;
  readonly id: string;
}

/** Takes updates out of the log for good. */
export class Removal {
  /** @param hubUrl what topics and patterns are relative to. */
  constructor(
    private readonly journal: Journal,
    private readonly history: History,
    private readonly hubUrl: URL,
  ) {}

  /**
   * Takes out what is held now: see {@link Journal.remove}. Answers with the number of updates.
   * @param tell is told the ids of those that have been taken out, some at a time.
   * @throws {HubError} `matcher-invalid`; {@link JournalUnavailableError} when the journal can't be reached: some may
   * have been taken out then.
   */
  async remove(what: Removed, tell: (ids: readonly string[]) => void = () => undefined): Promise<number> {
    let removed = 0;
    for await (const targets of 'id' in what ? this.withId(what.id) : this.matching(what)) {
      await this.journal.remove(targets.map(({ position }) => position));
      removed += targets.length;
      tell(targets.map(({ id }) => id));
    }
    return removed;
  }

  /** The updates with an id, each of which has to be taken out before the next one is found. */
  private async *withId(id: string): AsyncGenerator<readonly Target[]> {
    for (let last = 0; ;) {
      // oxlint-disable-next-line no-await-in-loop -- the journal tells of the earliest one alone
      const position = await this.journal.locate(id);
      // A damaged one can't be taken out, nor read.
      if (position === undefined || position === last) return;
      yield [{ position, id }];
      last = position;
    }
  }

  private async *matching(what: Exclude<Removed, { id: string }>): AsyncGenerator<readonly Target[]> {
    const [type, pattern] = 'topic' in what ? ['exact', what.topic] : ['urlpattern', what.urlPattern];
    const interest = new Interest([parseMatcher(type, pattern, this.hubUrl)], this.hubUrl);
    const all = { interest, mayRead: () => true, order: 'oldest-first', isOver: () => false } as const;
    const before = this.journal.head + 1;
    for (let after: number | undefined = 0; after !== undefined;) {
      // oxlint-disable-next-line no-await-in-loop -- each page begins where the one before has ended
      const page: HistoryPage = await this.history.page({ ...all, after, before, limit: TOGETHER });
      if (page.entries.length > 0) yield page.entries.map(({ position, update }) => ({ position, id: update.id }));
      after = page.next;
    }
  }
}
