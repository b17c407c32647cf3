import type { HeraldClient, HeraldError, HistoryOptions, HistoryPage, Match, PastMessage } from '../index.js';
import { toHeraldError } from './follow.js';

/** What a component shows of a topic's history. */
export interface Past<Data = unknown> {
  /** In the order of the history: the newest first, unless the options say otherwise. */
  readonly messages: readonly PastMessage<Data>[];
  /** `pending` while a page is on its way; `failed` after which `loadMore()` tries again. */
  readonly status: 'disabled' | 'pending' | 'ready' | 'failed';
  readonly error: HeraldError | undefined;
  /** Whether `loadMore()` may bring more. */
  readonly hasMore: boolean;
}

/** The pages of a history that have been read so far. */
export interface Reading {
  /** Reads another page, unless one is on its way or there is none. */
  more(): Promise<void>;
  stop(): void;
}

export const NOTHING_READ: Past<never> = { messages: [], status: 'pending', error: undefined, hasMore: false };

/** Reads a page of the history, and tells whenever there is something new to show. */
export function readPast(
  client: Pick<HeraldClient, 'historyPage'>,
  match: Match,
  options: HistoryOptions,
  tell: (past: Past) => void,
): Reading {
  const stop = new AbortController();
  const { signal } = stop;
  let past: Past = NOTHING_READ;
  let next: HistoryPage['next'] = {};
  let isBusy = false;
  const change = (part: Partial<Past>): void => {
    if (signal.aborted) return;
    past = { ...past, ...part };
    tell(past);
  };
  const read = async (): Promise<void> => {
    let messages: readonly PastMessage[] = [];
    // A page may be empty where the hub has looked at much that may not be read.
    while (next && messages.length === 0) {
      // oxlint-disable-next-line no-await-in-loop -- each page says where the next one begins
      const page: HistoryPage = await client.historyPage(match, { ...options, ...next, signal });
      ({ messages, next } = page);
    }
    change({ messages: [...past.messages, ...messages], status: 'ready', hasMore: next !== undefined });
  };
  const more = async (): Promise<void> => {
    if (isBusy || !next || signal.aborted) return;
    isBusy = true;
    change({ status: 'pending', error: undefined });
    await read().catch((error: unknown) => change({ status: 'failed', error: toHeraldError(error) }));
    isBusy = false;
  };
  void more();
  return { more, stop: () => stop.abort() };
}
