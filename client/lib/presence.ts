import type { HeraldClient, SubscribeOptions } from './api.js';
import { createBackoff } from './backoff.js';
import { type Answer, call, pause } from './call.js';
import { HeraldError, type HeraldErrorCode } from './errors.js';
import type { Match } from './matcher.js';
import { nextQueryOf } from './next-page.js';
import type { StreamSettings } from './stream.js';

/** One subscription that somebody has at the hub. */
export interface Subscriber {
  /** The subscription's own name, which no other one has. */
  readonly id: string;
  /** The connection, by a random name that the hub gave it: the same for all that it is subscribed to. */
  readonly subscriber: string;
  /** The topic or pattern that was subscribed to. */
  readonly match: string;
  /** `exact` for a topic, `urlpattern` for a pattern. */
  readonly matchType: string;
  /** What the subscriber's token says of it to others. */
  readonly payload: unknown;
}

/** What has changed since the handler was last called. `listed`: the list was asked for, at the start or after a gap. */
export interface PresenceChange {
  readonly type: 'listed' | 'joined' | 'left';
  /** Who has come or gone. */
  readonly subscriber?: Subscriber;
}

export interface ListOptions {
  readonly signal?: AbortSignal;
}

export interface PresenceOptions extends ListOptions {
  /**
   * Called when the list can't be had (any more): no change is told after `refused`, `unauthorized` and
   * `not-supported`; after others the hub is asked again. Default: the client's `error` event.
   */
  readonly onError?: (error: HeraldError) => unknown;
}

export type PresenceHandler = (subscribers: readonly Subscriber[], change: PresenceChange) => unknown;

/** Whose presence is asked for, and at which hub. */
export interface PresenceContext {
  readonly client: Pick<HeraldClient, 'subscribe'>;
  readonly settings: StreamSettings;
  readonly match: Match;
  readonly report: (error: HeraldError) => void;
}

/** A subscription as the hub tells of it: in a list, or as the data of an update. */
interface Document {
  readonly id: string;
  readonly match_type: string;
  readonly match: string;
  readonly subscriber: string;
  readonly active: boolean;
  readonly payload?: unknown;
}

interface List {
  /** The path of the list, below which the topics of its changes are. */
  readonly path: string;
  readonly subscribers: readonly Subscriber[];
}

const MISSING =
  'This hub does not tell who is subscribed: it needs HERALD_SUBSCRIPTIONS=true, and a token of the current protocol.';

/** Errors after which asking again is of no use. */
const FINAL = new Set<HeraldErrorCode>(['refused', 'unauthorized', 'not-supported', 'misused']);

/** See `Presence.list`. */
export async function list(
  { settings, match }: PresenceContext,
  { signal }: ListOptions = {},
): Promise<readonly Subscriber[]> {
  const lists = await listsOf(settings, match, signal);
  return lists.flatMap(({ subscribers }) => subscribers);
}

/** See `Presence.subscribe`. It ends when `stop` is aborted, which it does itself when it can't go on. */
export async function follow(
  { client, settings, match, report }: PresenceContext,
  handler: PresenceHandler,
  stop: AbortController,
  { onError = report, signal: given }: PresenceOptions = {},
): Promise<void> {
  const { signal } = stop;
  const end = (): void => stop.abort();
  if (given?.aborted) end();
  given?.addEventListener('abort', end, { signal });
  // The first list says where changes are told, and a refusal comes before anything is subscribed to.
  const first = await insist(() => listsOf(settings, match, signal, 1), onError, signal);
  if (!first || signal.aborted) return end();
  const ask = (): Promise<readonly List[] | undefined> =>
    insist(() => listsOf(settings, match, signal), onError, signal);
  const attendance = new Attendance(ask, handler, end);
  const patterns = first.map(({ path }) => ({ pattern: `${path.replaceAll(/[(){}:*?+\\]/g, '\\$&')}/*` }));
  const onState: SubscribeOptions['onState'] = (state, error) => {
    if (state === 'refused' && error) onError(error);
    if (state === 'refused' || state === 'ended') end();
  };
  try {
    const leave = client.subscribe(patterns, ({ text }) => attendance.note(text), {
      // Later interruptions are caught up with, unless there is a gap.
      onLive: () => attendance.hasBegun || attendance.load(),
      onGap: () => attendance.load(),
      onState,
    });
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
  } catch {
    // The client was disposed of while the first list was on its way.
    end();
  }
}

/** The changes that are held while a list is on its way. More make it too old to be of use. */
const MOST_HELD = 10_000;

/** The list of those who are subscribed, kept up to date by the changes that the hub tells. */
class Attendance {
  hasBegun = false;
  readonly #people = new Map<string, Subscriber>();
  readonly #ask: () => Promise<readonly List[] | undefined>;
  readonly #handler: PresenceHandler;
  readonly #end: () => void;
  /** Changes that came since a list was asked for, which may be in it or not. Undefined while none is on its way. */
  #held: Document[] | undefined = [];
  /** How many lists were asked for. Only the last one counts. */
  #asked = 0;

  constructor(ask: () => Promise<readonly List[] | undefined>, handler: PresenceHandler, end: () => void) {
    this.#ask = ask;
    this.#handler = handler;
    this.#end = end;
  }

  async load(): Promise<void> {
    this.hasBegun = true;
    this.#held ??= [];
    this.#asked += 1;
    const number = this.#asked;
    const lists = await this.#ask();
    if (!lists) return this.#end();
    if (number !== this.#asked) return;
    this.#people.clear();
    for (const { subscribers } of lists) for (const one of subscribers) this.#people.set(one.id, one);
    for (const one of this.#held) this.#apply(one);
    this.#held = undefined;
    this.#tell({ type: 'listed' });
  }

  /** A change, as JSON. */
  note(text: string): void {
    const document = JSON.parse(text) as Document;
    // Where the hub speaks the 0.x dialect as well, it tells the same once more in other words.
    if (typeof document.match_type !== 'string') return;
    if (this.#held) {
      if (this.#held.push(document) <= MOST_HELD) return;
      this.#held = [];
      void this.load();
      return;
    }
    const subscriber = this.#apply(document);
    if (subscriber) this.#tell({ type: document.active ? 'joined' : 'left', subscriber });
  }

  /** Whose coming or going is new; undefined if it was known. */
  #apply(document: Document): Subscriber | undefined {
    const known = this.#people.get(document.id);
    if (!document.active) return this.#people.delete(document.id) ? known : undefined;
    const subscriber = toSubscriber(document);
    this.#people.set(document.id, subscriber);
    return known ? undefined : subscriber;
  }

  #tell(change: PresenceChange): void {
    this.#handler([...this.#people.values()], change);
  }
}

/** Does work until it succeeds. Undefined where it can't, or nobody waits for it any more. */
async function insist<T>(
  work: () => Promise<T>,
  onError: (error: HeraldError) => unknown,
  signal: AbortSignal,
): Promise<T | undefined> {
  const backoff = createBackoff();
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- again after a failure
      return await work();
    } catch (error) {
      if (signal.aborted) return undefined;
      onError(error as HeraldError);
      if (FINAL.has((error as HeraldError).code)) return undefined;
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    await pause(backoff.next(), signal).catch(() => undefined);
  }
}

/** What the hub lists for each part of the match, all of it unless there is a limit to its pages. */
function listsOf(
  settings: StreamSettings,
  match: Match,
  signal: AbortSignal | undefined,
  pages = Infinity,
): Promise<List[]> {
  const parts = [match].flat() as readonly (string | { readonly pattern: string })[];
  return Promise.all(parts.map((part) => listAt(settings, pathOf(part), signal, pages)));
}

function pathOf(part: string | { readonly pattern: string }): string {
  if (part === '*') return '/subscriptions';
  const [type, name] = typeof part === 'string' ? ['exact', part] : ['urlpattern', part.pattern];
  return `/subscriptions/${type}/${encodeURIComponent(name)}`;
}

async function listAt(
  settings: StreamSettings,
  path: string,
  signal: AbortSignal | undefined,
  pages: number,
): Promise<List> {
  const subscribers: Subscriber[] = [];
  let own = '';
  let query = '';
  for (let page = 0; page < pages && (page === 0 || query !== ''); page += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each page says where the next one begins
    const answer = await call(settings, {
      what: 'the list of subscribers',
      path,
      query,
      reason: 'initial',
      signal,
      extension: { type: 'application/json', missing: MISSING },
    });
    const { id, subscriptions } = documentIn(answer);
    own = id;
    for (const one of subscriptions) subscribers.push(toSubscriber(one));
    query = nextQueryOf(answer);
  }
  return { path: own, subscribers };
}

function documentIn({ text }: Answer): { readonly id: string; readonly subscriptions: readonly Document[] } {
  try {
    const { id, subscriptions } = JSON.parse(text) as { readonly id: unknown; readonly subscriptions: unknown };
    if (typeof id === 'string' && Array.isArray(subscriptions)) return { id, subscriptions };
  } catch {
    // The same as another answer than a list.
  }
  throw new HeraldError('not-supported', MISSING);
}

function toSubscriber({ id, subscriber, match, match_type: matchType, payload }: Document): Subscriber {
  return { id, subscriber, match, matchType, payload };
}
