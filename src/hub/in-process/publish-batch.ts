import { HubError } from '../../access/hub.errors.js';
import { Queue } from '../../shared/queue.js';
import { JournalUnavailableError } from '../../storage/journal/journal.js';
import type { PublishDraft } from '../update/publish-draft.js';

/** Updates of one batch that are under way at a time. */
const WINDOW = 256;

/** An update of a batch. */
export interface BatchDraft extends PublishDraft {
  /** The same key again, while the first update with it is held, stores nothing and gives that update's id. */
  readonly idempotencyKey?: string | undefined;
}

/** What became of one update of a batch: it is stored under this id, or was refused. */
export type BatchAnswer =
  | { readonly id: string; readonly error?: undefined }
  | { readonly id?: undefined; readonly error: HubError | JournalUnavailableError };

interface BatchContext {
  readonly publish: (draft: PublishDraft, idempotencyKey: string | undefined) => Promise<string>;
  /** Resolves in another turn, after other work. */
  readonly giveWay: () => Promise<void>;
}

/** Publishes drafts in order, a bounded number at a time, and gives an answer for each: see `HubService.publishBatch`. */
export async function publishBatch(
  drafts: Iterable<BatchDraft> | AsyncIterable<BatchDraft>,
  { publish, giveWay }: BatchContext,
): Promise<BatchAnswer[]> {
  const answers: BatchAnswer[] = [];
  const underWay = new Queue<Promise<() => BatchAnswer>>();
  const takeAnswer = async (): Promise<void> => {
    const settled = await underWay.shift();
    if (settled) answers.push(settled());
    // A journal in memory answers at once, and so would never let others have a turn.
    if (answers.length % WINDOW === 0) await giveWay();
  };
  try {
    for await (const { idempotencyKey, ...draft } of drafts) {
      if (underWay.length >= WINDOW) await takeAnswer();
      underWay.push(settle(publish(draft, idempotencyKey)));
    }
    // oxlint-disable-next-line no-await-in-loop -- in order
    while (underWay.length > 0) await takeAnswer();
    return answers;
  } finally {
    // Where the source has failed, what is under way still comes to its end.
    // oxlint-disable-next-line no-await-in-loop -- all of them are under way
    while (underWay.length > 0) await underWay.shift();
  }
}

/** Never rejects, because nobody may be waiting yet: what it gives throws what is no refusal. */
async function settle(publication: Promise<string>): Promise<() => BatchAnswer> {
  try {
    const id = await publication;
    return () => ({ id });
  } catch (error) {
    return () => {
      if (error instanceof HubError || error instanceof JournalUnavailableError) return { error };
      throw error;
    };
  }
}
