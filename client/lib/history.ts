import { type Answer, call } from './call.js';
import { HeraldError } from './errors.js';
import type { Selector } from './matcher.js';
import { Message } from './message.js';
import { nextQueryOf } from './next-page.js';
import type { StreamSettings } from './stream.js';

/** Which part of the history is wanted. */
export interface HistoryOptions {
  /** Only messages before the one with this id. */
  readonly before?: string;
  /** Only messages after the one with this id, the oldest first; `earliest` stands for the beginning. */
  readonly after?: string;
  /** `desc` is the newest first, the default without `after`; `asc` the oldest first. */
  readonly order?: 'asc' | 'desc';
  /** At most so many messages: of a page at most 1 000 (default 100), of a loop any number (default: all). */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** A message of the history. */
export class PastMessage<Data = unknown> extends Message<Data> {
  /** When the hub stored it, where it says so. */
  readonly time: Date | undefined;
  /** Whether only readers whose token grants the topic get it. */
  readonly private: boolean;

  constructor({ id, topics, type = 'message', data, time, private: isPrivate }: PastUpdate, topic: string) {
    super({ id, topics, type, data, replayed: true }, topic);
    this.time = time === undefined ? undefined : new Date(time);
    this.private = isPrivate;
  }
}

/** A page of the history. It may have fewer messages than the limit, even none, and still not be the last. */
export interface HistoryPage<Data = unknown> {
  readonly messages: readonly PastMessage<Data>[];
  /** What to add to the options for the next page; undefined where there is none. */
  readonly next: Pick<HistoryOptions, 'before' | 'after'> | undefined;
}

/** An update as the hub tells of it. */
interface PastUpdate {
  readonly id: string;
  readonly topics: readonly string[];
  readonly type?: string;
  readonly data: string;
  readonly private: boolean;
  readonly time?: string;
}

const MISSING = 'This hub has no history to ask for: it has to be a Herald, reached at its own path.';

/** A longer query goes as the body of a `QUERY` request: servers take 8 to 16 KiB for all headers together. */
const LONGEST_QUERY = 4_000;

/** The most messages that the hub has for a page. */
const LARGEST_PAGE = 1_000;

/**
 * A page of what the hub holds.
 * @throws {HeraldError} `not-supported` at another hub than Herald; `refused`, with the problem `id-not-held` where the hub
 *   does not hold the message to go on from; and as `publish`.
 */
export async function historyPage(
  settings: StreamSettings,
  selectors: readonly Selector[],
  { signal, ...options }: HistoryOptions = {},
): Promise<HistoryPage> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) if (value !== undefined) parameters.set(name, String(value));
  const query = [...selectors.map(({ matcher }) => matcher), parameters].join('&');
  const answer = await call(settings, {
    what: 'the history',
    path: '/history',
    ...(query.length > LONGEST_QUERY ? { method: 'QUERY', body: new URLSearchParams(query) } : { query }),
    reason: 'initial',
    signal,
    extension: { type: 'application/json', missing: MISSING },
  });
  return { messages: updatesIn(answer).map((update) => toMessage(update, selectors)), next: nextIn(answer) };
}

/** What the hub holds, page by page, each of which is asked for when the last one has been taken. */
export async function* history(
  settings: StreamSettings,
  selectors: readonly Selector[],
  { limit = Infinity, ...options }: HistoryOptions = {},
): AsyncGenerator<PastMessage, void, undefined> {
  let next: HistoryPage['next'] = {};
  for (let left = limit; next && left > 0;) {
    const size: HistoryOptions = left === Infinity ? {} : { limit: Math.min(left, LARGEST_PAGE) };
    // oxlint-disable-next-line no-await-in-loop -- each page says where the next one begins
    const page: HistoryPage = await historyPage(settings, selectors, { ...options, ...next, ...size });
    yield* page.messages;
    left -= page.messages.length;
    next = page.next;
  }
}

function updatesIn({ text }: Answer): PastUpdate[] {
  try {
    const updates: unknown = JSON.parse(text);
    if (Array.isArray(updates)) return updates as PastUpdate[];
  } catch {
    // The same as another answer than a list.
  }
  throw new HeraldError('not-supported', MISSING);
}

function toMessage(update: PastUpdate, selectors: readonly Selector[]): PastMessage {
  const { topics } = update;
  const topic = topics.find((one) => selectors.some(({ test }) => test?.(one))) ?? topics[0];
  return new PastMessage(update, topic ?? selectors[0]?.name ?? '');
}

/** Where the next page begins, by the `Link` of this one. */
function nextIn(answer: Answer): HistoryPage['next'] {
  const parameters = new URLSearchParams(nextQueryOf(answer));
  const [before, after] = [parameters.get('before'), parameters.get('after')];
  if (before === null && after === null) return undefined;
  return { ...(before !== null && { before }), ...(after !== null && { after }) };
}
