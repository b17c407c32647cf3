import { signal } from '@preact/signals';
import type { MessageLog, PastMessage } from './message-log.js';

/** What can be told of what is older than the log. */
export type PastState =
  | 'ready'
  | 'loading'
  /** Nothing older is held. */
  | 'end'
  /** The log's oldest message is not held, so what came before it is not, either. */
  | 'gone'
  /** The log has no more room. */
  | 'full'
  /** The hub has no history. */
  | 'absent'
  | 'refused'
  | 'failed';

interface PastUpdate {
  readonly id: string;
  readonly topics: readonly string[];
  readonly type?: string;
  readonly data?: string;
  readonly time?: string;
}

/** Asks the hub's history, with the token for reading. */
type Ask = (query: URLSearchParams) => Promise<Response>;

/** A query parameter: its name and value. */
type Matcher = readonly [name: string, value: string];

/** Updates of a page. */
const PAGE = 100;

/** Messages of the log that the hub is asked about in turn, because some may have been taken out of its history. */
const TRIES = 3;

/** Pages that are asked for at once, as long as they bring nothing that this reader may have. */
const PAGES_AT_ONCE = 5;

/** Older messages, which are put before the log's first ones page by page. */
export class HistoryPages {
  readonly state = signal<PastState>('ready');
  /** The status of the hub's refusal, where it refuses. */
  status = 0;
  /** How many messages the last page has brought. */
  came = 0;
  /** Grows with each page. */
  readonly pages = signal(0);
  /** Where to go on, as the hub has said after the page that begins with this entry. */
  private next: { readonly before: string; readonly first: number | undefined } | undefined;
  /** The log's first entry when the state was found out. */
  private first: number | undefined;
  /** Grows whenever the reader or the topics change. */
  private generation = 0;

  constructor(
    private readonly log: MessageLog,
    private readonly ask: Ask,
    private readonly matchers: () => readonly Matcher[],
  ) {}

  /** Begins anew, because somebody else asks, or for something else. */
  reset(): void {
    this.generation += 1;
    this.next = undefined;
    this.came = 0;
    this.state.value = 'ready';
  }

  /** The state for the log as it is now: where it begins with another entry than before, there may be more. */
  stateNow(): PastState {
    const state = this.state.value;
    const isAboutFirst = state === 'end' || state === 'gone' || state === 'full';
    return isAboutFirst && this.first !== this.oldest ? 'ready' : state;
  }

  /** Puts a page before the log's first entry. */
  async older(): Promise<void> {
    const matchers = this.matchers();
    const before = this.stateNow();
    if (matchers.length === 0 || (before !== 'ready' && before !== 'failed')) return;
    this.state.value = 'loading';
    this.came = 0;
    const { generation } = this;
    let state: PastState = 'ready';
    for (let page = 0; page < PAGES_AT_ONCE && state === 'ready' && this.came === 0; page += 1) {
      // oxlint-disable-next-line no-await-in-loop -- each page says where the next one begins
      state = await this.load(matchers, generation).catch((): PastState => 'failed');
      if (generation !== this.generation) return;
    }
    this.first = this.oldest;
    this.state.value = state;
  }

  private get oldest(): number | undefined {
    return this.log.entries[0]?.serial;
  }

  private async load(matchers: readonly Matcher[], generation: number): Promise<PastState> {
    const { oldest } = this;
    for (const before of this.beginnings()) {
      const query = new URLSearchParams([...matchers.map(([name, value]) => [name, value]), ['limit', String(PAGE)]]);
      if (before !== undefined) query.set('before', before);
      // oxlint-disable-next-line no-await-in-loop -- the next one is asked only where this one is not held
      const response = await this.ask(query);
      // oxlint-disable-next-line no-await-in-loop -- see above
      const answer = (await response.json().catch(() => undefined)) as PastUpdate[] | { code?: string } | undefined;
      // Meanwhile the log was cleared, or has dropped what the page would come before.
      if (generation !== this.generation || (oldest !== undefined && oldest !== this.oldest)) return 'ready';
      if (response.ok && Array.isArray(answer)) return this.take(answer, placeIn(response.headers.get('link')));
      if (Array.isArray(answer) || answer?.code !== 'id-not-held') return this.refusedWith(response.status);
    }
    return 'gone';
  }

  /** The ids before which a page may end, until one is held. Undefined stands for the newest page. */
  private beginnings(): (string | undefined)[] {
    const { next } = this;
    if (next && next.first === this.oldest) return [next.before];
    const ids: string[] = [];
    for (const entry of this.log.entries) {
      if (entry.kind === 'message' && entry.id !== undefined) ids.push(entry.id);
      if (ids.length === TRIES) break;
    }
    return ids.length > 0 ? ids : [undefined];
  }

  private take(updates: readonly PastUpdate[], before: string | undefined): PastState {
    const characters = updates.reduce((sum, { data = '' }) => sum + data.length, 0);
    if (!this.log.hasRoomFor(characters, updates.length)) return 'full';
    this.came = this.log.prepend(updates.toReversed().map(messageOf));
    this.next = before === undefined ? undefined : { before, first: this.oldest };
    this.pages.value += 1;
    return before === undefined ? 'end' : 'ready';
  }

  private refusedWith(status: number): PastState {
    this.status = status;
    if (status === 404 || status === 405) return 'absent';
    return status >= 400 && status < 500 && status !== 429 ? 'refused' : 'failed';
  }
}

function messageOf({ id, topics: [topic = ''], type = 'message', data = '', time }: PastUpdate): PastMessage {
  return { id, topic, type, text: data, at: time === undefined ? 0 : Date.parse(time) };
}

/** Where the next page ends, by the link to it (RFC 8288). */
function placeIn(link: string | null): string | undefined {
  const query = /<[^>]*\?([^>]*)>; rel="next"/.exec(link ?? '')?.[1];
  return (query !== undefined && new URLSearchParams(query).get('before')) || undefined;
}
