import { HUB_PATH } from '../src/page-places.js';
import type { LogMessage } from './message-log.js';

/** The most topics that are asked for by name; of more, all of the history is looked through. */
const MOST_TOPICS = 50;

/** The most pages of the history that are asked for: as many messages as the log holds, and some of others between. */
const MOST_PAGES = 15;
const PAGE = 1_000;

interface PastUpdate {
  readonly id: string;
  readonly private: boolean;
}

/** Asks the hub for a path below the page's. */
type Ask = (path: string) => Promise<Response>;

/**
 * Says which of these messages are private, which no stream tells, but the hub's history does. What is not held there any
 * more counts as private, so that nothing is made public by publishing it again.
 */
export async function privacyOf(messages: readonly LogMessage[], ask: Ask): Promise<(message: LogMessage) => boolean> {
  const unknown = new Set(messages.map(({ id }) => id));
  const isPublic = new Set<string | undefined>();
  let path: string | undefined = firstPage(messages);
  for (let pages = 0; path !== undefined && unknown.size > 0 && pages < MOST_PAGES; pages += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each page says where the next one is
    const response: Response | undefined = await ask(path).catch(() => undefined);
    if (!response?.ok) break;
    // oxlint-disable-next-line no-await-in-loop -- as above
    for (const update of (await response.json()) as PastUpdate[]) {
      unknown.delete(update.id);
      if (!update.private) isPublic.add(update.id);
    }
    path = nextPage(response.headers.get('link'));
  }
  return ({ id }) => !isPublic.has(id);
}

function firstPage(messages: readonly LogMessage[]): string {
  const topics = new Set(messages.map(({ topic }) => topic));
  const named = topics.size > MOST_TOPICS ? ['*'] : [...topics];
  const query = new URLSearchParams([...named.map((topic) => ['match', topic]), ['limit', String(PAGE)]]);
  return `${HUB_PATH}/history?${query.toString()}`;
}

/** The path of the next page, below the page's own: the link is an absolute one. */
function nextPage(link: string | null): string | undefined {
  const [, query] = /^<[^>]*\/history\?([^>]*)>; rel="next"$/.exec(link ?? '') ?? [];
  return query === undefined ? undefined : `${HUB_PATH}/history?${query}`;
}
