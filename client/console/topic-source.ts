import { signal } from '@preact/signals';
import { ADMIN_PATH, hasAdmin } from '../src/page-places.js';
import type { MessageLog } from './message-log.js';
import { Growth, type TopicFacts, topicsOf } from './topic-facts.js';

/** The most topics that are taken from the hub at once, which is its own largest page. */
export const MOST_TOPICS = 1_000;

/** What the list of topics is made from. */
export interface Topics {
  readonly topics: readonly TopicFacts[];
  readonly isFromHub: boolean;
  /** Whether the hub has more than it has given. */
  readonly hasMore: boolean;
}

interface HubTopic {
  readonly topic: string;
  readonly count: number;
  readonly newest: { readonly time?: string };
  readonly subscribers: number;
}

/** Asks the hub, with the token for administration. */
type Ask = (path: string) => Promise<Response>;

/** Which topics there are: by the hub, until it refuses to tell; then from what has come to this page. */
export class TopicSource {
  readonly topics = signal<Topics>({ topics: [], isFromHub: false, hasMore: false });
  private readonly growth = new Growth();
  private isRefused = !hasAdmin;
  private prefix = '';

  constructor(
    private readonly ask: Ask,
    private readonly log: MessageLog,
  ) {}

  /** @param search what the topics begin with, which the hub is asked for only where it has more than it gives at once. */
  async load(search: string): Promise<void> {
    if (!this.isRefused) await this.loadFromHub(search);
    if (this.isRefused) {
      this.topics.value = { topics: topicsOf(this.log.entries, Date.now()), isFromHub: false, hasMore: false };
    }
  }

  private async loadFromHub(search: string): Promise<void> {
    const { hasMore } = this.topics.peek();
    const prefix = hasMore || this.prefix !== '' ? search : '';
    const query = new URLSearchParams({ prefix, limit: String(MOST_TOPICS) });
    const response = await this.ask(`${ADMIN_PATH}/topics?${query.toString()}`).catch(() => undefined);
    // Without administrators there is nothing at that path. Anything else may pass: what is shown stays.
    if (response && [401, 403, 404].includes(response.status)) this.isRefused = true;
    if (!response?.ok) return;
    const { topics, next } = (await response.json()) as { topics: HubTopic[]; next?: string };
    // Another part of the topics has counts of its own to grow from.
    if (prefix !== this.prefix) this.growth.clear();
    this.prefix = prefix;
    const rates = this.growth.note(topics, Date.now());
    this.topics.value = {
      topics: topics.map((one) => factsOf(one, rates.get(one.topic))),
      isFromHub: true,
      hasMore: next !== undefined,
    };
  }
}

function factsOf({ topic, count, newest, subscribers }: HubTopic, rate: number | undefined): TopicFacts {
  const last = newest.time === undefined ? undefined : Date.parse(newest.time);
  return { topic, count, rate, last, readers: subscribers };
}
