import { batch, computed, signal } from '@preact/signals';
import {
  type ConnectionState,
  createHeraldClient,
  type HeraldClient,
  HeraldError,
  type Message,
  type Notice,
  type SubscribeOptions,
  type UrlPatternConstructor,
} from '../lib/index.js';
import type { Topic } from './address.js';
import { type Loss, LOSSES, MessageLog, now } from './message-log.js';
import { Rates } from './rates.js';
import { Refusals } from './refusals.js';
import { StreamWatch } from './stream-watch.js';
import { t } from './translation.js';

/** The tokens by which the hub knows this page. They are kept in memory alone. */
export interface Identity {
  /** For reading. Without it the reader is anonymous. */
  readonly token?: string;
  /** For publishing and administration, where these take another token. */
  readonly publishToken?: string;
}

const HUB_PATH = '.well-known/mercure';

/** Where the hub is. */
export const HUB_URL = new URL(HUB_PATH, document.baseURI).href;

/** Milliseconds for which the page waits for its own publication to come back. */
const LONGEST_WAIT = 60_000;

interface Subscribed {
  readonly topic: Topic;
  readonly end: () => void;
}

/** The page's connection to the hub, and everything that has come over it. */
export class Session {
  readonly log = new MessageLog();
  readonly rates = new Rates();
  readonly refusals = new Refusals((query, method) => this.ask(`${HUB_PATH}?${query}`, { method }));
  readonly stream = new StreamWatch({
    answered: (matchers, { status }) => {
      this.judging = this.judge(matchers, status);
    },
    beat: () => this.rates.beat(),
  });
  readonly state = signal<ConnectionState>('idle');
  readonly identity = signal<Identity | undefined>(undefined);
  readonly topics = signal<readonly Topic[]>([]);
  readonly problem = signal<HeraldError | undefined>(undefined);
  readonly openedAt = signal<number | undefined>(undefined);
  readonly reconnects = signal(0);
  /** Grows with each change of the log. */
  readonly version = signal(0);
  readonly isWanted = computed(() => this.identity.value !== undefined);
  private client: HeraldClient | undefined;
  private subscribed: Subscribed[] = [];
  private lostAt: number | undefined;
  private loss: Loss = 'ended';
  /** The id of the last message. */
  private lastId: string | undefined;
  private resumesAfter: string | undefined;
  private replayed = 0;
  /** Pending while the page finds out which topics the hub refuses. */
  private judging: Promise<void> | undefined;
  /** When this page's own publications were sent, by their ids. */
  private readonly sent = new Map<string, number>();

  /** Connects, or connects anew as somebody else. */
  connect(identity: Identity, since = ''): void {
    this.disconnect();
    const client = createHeraldClient({
      url: HUB_URL,
      share: 'none',
      fetch: (input, init) => this.stream.fetch(input, init),
      ...(identity.token && {
        token: ({ reason }) => (reason === 'publish' && identity.publishToken) || identity.token || '',
      }),
    });
    this.client = client;
    client.on('state', (state) => this.onState(state));
    client.on('error', (error) => void this.onError(error));
    client.on('notice', ({ type }) => {
      this.blame(type);
      if (type === 'caught-up') this.onCaughtUp();
    });
    batch(() => {
      this.identity.value = identity;
      this.reconnects.value = 0;
    });
    for (const topic of this.topics.value) this.subscribe(topic, since);
  }

  disconnect(): void {
    this.client?.dispose();
    this.client = undefined;
    this.subscribed = [];
    this.lostAt = undefined;
    batch(() => {
      this.identity.value = undefined;
      this.problem.value = undefined;
      this.openedAt.value = undefined;
      this.state.value = 'idle';
      this.refusals.clear();
    });
  }

  /** @throws TypeError for an invalid pattern. */
  add(topic: Topic, since: string): void {
    if (this.topics.value.some((known) => isSame(known, topic))) return;
    checkPattern(topic);
    if (this.client) this.subscribe(topic, since);
    this.topics.value = [...this.topics.value, topic];
  }

  remove(topic: Topic): void {
    const gone = this.subscribed.find((one) => isSame(one.topic, topic));
    this.subscribed = this.subscribed.filter((one) => one !== gone);
    this.topics.value = this.topics.value.filter((known) => !isSame(known, topic));
    this.problem.value = undefined;
    gone?.end();
    if (this.state.value === 'failed') this.client?.reconnect();
  }

  reconnect(): void {
    this.problem.value = undefined;
    this.client?.reconnect();
  }

  /** @throws {HeraldError} with the hub's reason. */
  async publish(
    topic: string,
    data: unknown,
    options: { id?: string; type?: string; private?: boolean },
  ): Promise<string> {
    const { client } = this;
    if (!client) throw new HeraldError('misused', t('state_idle'));
    const start = now();
    const id = await client.publish(topic, data, options);
    // The message may have come back before the answer.
    const latency = this.log.measure(id, start);
    if (latency === undefined) this.expect(id, start);
    else this.rates.measure(latency);
    this.version.value += 1;
    return id;
  }

  /** Sends another request to the hub, with the token for that path if there is one. */
  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const { token, publishToken } = this.identity.value ?? {};
    const bearer = path.startsWith('admin/') ? (publishToken ?? token) : token;
    const headers = new Headers(init.headers);
    if (bearer) headers.set('authorization', `Bearer ${bearer}`);
    return fetch(new URL(path, document.baseURI), { ...init, headers, cache: 'no-store' });
  }

  clear(): void {
    this.log.clear();
    this.version.value += 1;
  }

  private subscribe(topic: Topic, since: string): void {
    const match = topic.kind === 'exact' ? topic.text : { pattern: topic.text };
    const client = this.client;
    if (!client) return;
    const end = client.subscribe(match, (message) => this.onMessage(message), {
      ...beginningOf(since),
      onGap: (notice) => this.onGap(notice),
    });
    this.subscribed.push({ topic, end });
  }

  private onMessage({ id, topic, type, text, replayed }: Message): void {
    const took = id === undefined ? undefined : this.latencyOf(id);
    // A replayed message was late because this page was away, which says nothing of the hub.
    const latency = replayed ? undefined : took;
    if (!this.log.add({ id, topic, type, text, isReplayed: replayed, latency })) return;
    if (replayed) this.replayed += 1;
    this.lastId = id;
    this.rates.add(replayed);
    if (latency !== undefined) this.rates.measure(latency);
    this.version.value += 1;
  }

  /** Unsubscribes from refused topics, because with them the hub refuses the stream for all the others as well. */
  private async judge(matchers: readonly string[], status: number): Promise<void> {
    const { client } = this;
    await this.refusals.note(matchers, status);
    if (client !== this.client) return;
    const refused = this.subscribed.filter(({ topic }) => this.refusals.reasonFor(matcherOf(topic)));
    if (refused.length === 0 || refused.length === this.subscribed.length) return;
    this.subscribed = this.subscribed.filter((one) => !refused.includes(one));
    for (const { end } of refused) end();
    if (this.state.value === 'failed') client?.reconnect();
  }

  /** Remembers why the connection was lost, should it be lost now. */
  private blame(code: string): void {
    this.loss = LOSSES.find((known) => known === code) ?? this.loss;
  }

  private async onError(error: HeraldError): Promise<void> {
    const { client } = this;
    this.blame(error.code);
    if (error.code === 'refused') {
      await this.judging;
      // The refused topics say why, and the others go on.
      if (client !== this.client || this.state.value !== 'failed') return;
    }
    this.problem.value = error;
  }

  private onState(state: ConnectionState): void {
    if (state === 'open') this.onOpen();
    else if (this.state.value === 'open') this.onLost(state);
    this.state.value = state;
  }

  private onOpen(): void {
    batch(() => {
      this.openedAt.value = Date.now();
      this.loss = 'ended';
      this.problem.value = undefined;
      if (this.lostAt !== undefined) this.reconnects.value += 1;
    });
  }

  private onLost(state: ConnectionState): void {
    this.openedAt.value = undefined;
    if (state === 'idle') return;
    // If the connection is lost again before it has caught up, the first loss still counts.
    if (this.lostAt === undefined) {
      this.lostAt = Date.now();
      this.replayed = 0;
      this.resumesAfter = this.lastId;
    }
    this.mark({ mark: 'lost', loss: this.loss });
    this.rates.lose();
  }

  /** Everything that was missed has come. */
  private onCaughtUp(): void {
    if (this.lostAt === undefined) return;
    const { lostAt, replayed, resumesAfter: after } = this;
    this.mark({ mark: 'resumed', away: Date.now() - lostAt, replayed, ...(after !== undefined && { after }) });
    this.lostAt = undefined;
  }

  /** Each topic's subscription is told of a gap, but the log needs only one mark. */
  private onGap({ type, updates }: Notice): void {
    const mark = type === 'reset' ? 'reset' : 'gap';
    const last = this.log.entries.at(-1);
    if (last?.kind === 'mark' && last.mark === mark) return;
    const { lostAt } = this;
    this.mark({ mark, ...(lostAt !== undefined && { away: Date.now() - lostAt }), ...(updates && { updates }) });
  }

  private mark(mark: Parameters<MessageLog['mark']>[0]): void {
    this.log.mark(mark);
    this.version.value += 1;
  }

  private expect(id: string, start: number): void {
    this.sent.set(id, start);
    setTimeout(() => this.sent.delete(id), LONGEST_WAIT);
  }

  private latencyOf(id: string): number | undefined {
    const start = this.sent.get(id);
    this.sent.delete(id);
    return start === undefined ? undefined : now() - start;
  }
}

/** The query parameter that asks the hub for a topic: its name and value. */
export function matcherOf({ kind, text }: Topic): [name: string, value: string] {
  return [kind === 'exact' ? 'match' : 'match_urlpattern', text];
}

/** @throws TypeError for an invalid pattern, already before somebody connects. */
function checkPattern({ kind, text }: Topic): void {
  const { URLPattern } = globalThis as { URLPattern?: UrlPatternConstructor };
  if (kind === 'pattern' && URLPattern) void new URLPattern(text, HUB_URL);
}

/** The options for a choice of where to begin, which is empty, `earliest`, an id, or `#20` for the newest 20. */
function beginningOf(since: string): SubscribeOptions {
  if (since === '') return {};
  return since.startsWith('#') ? { last: Number(since.slice(1)) } : { since };
}

export function isSame(one: Topic, other: Topic): boolean {
  return one.kind === other.kind && one.text === other.text;
}
