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
import { ADMIN_PATH, HUB_URL, isInApplication } from '../src/page-places.js';
import type { Topic } from './address.js';
import { Continuity } from './continuity.js';
import { Credentials, type Identity, readerOf, type Role } from './identity.js';
import { MessageLog, now } from './message-log.js';
import { Patience } from './patience.js';
import { isAboutToken } from './problem-kinds.js';
import { Rates } from './rates.js';
import { StreamWatch } from './stream-watch.js';
import { nameOf } from './token-subject.js';
import { keyOf, type TopicState, TopicStates } from './topic-states.js';
import { t } from './translation.js';

export type { Identity } from './identity.js';

/** Milliseconds for which the page waits for its own publication to come back. */
const LONGEST_WAIT = 60_000;

/** What is published beside the data. */
export interface Sending {
  readonly id?: string;
  readonly type?: string;
  readonly private?: boolean;
  /** `text` sends a string as it is. */
  readonly as?: 'json' | 'text';
  /** Milliseconds that readers wait before they come back. */
  readonly retry?: number;
}

type SubscriptionState = TopicState['state'] | 'ended';

interface Subscribed {
  readonly topic: Topic;
  readonly end: () => void;
  /** Whether it has caught up with the stream, so that what comes is not history. */
  isLive: boolean;
}

/** The page's connection to the hub, and everything that has come over it. */
export class Session {
  readonly log = new MessageLog();
  readonly rates = new Rates();
  readonly stream = new StreamWatch({ beat: () => this.rates.beat() });
  readonly state = signal<ConnectionState>('idle');
  readonly identity = signal<Identity | undefined>(undefined);
  readonly topics = signal<readonly Topic[]>([]);
  readonly problem = signal<HeraldError | undefined>(undefined);
  readonly topicStates = new TopicStates();
  readonly openedAt = signal<number | undefined>(undefined);
  /** Until when the client waits at most before it asks again: milliseconds since the epoch. */
  readonly waitsUntil = signal<number | undefined>(undefined);
  readonly reconnects = signal(0);
  /** Grows with each change of the log. */
  readonly version = signal(0);
  /** Grows when the latency of a message becomes known that is in the log already. */
  readonly measured = signal(0);
  readonly isWanted = computed(() => this.identity.value !== undefined);
  /** Whether nothing comes until somebody gives another token. */
  readonly needsToken = computed(() => this.state.value === 'failed' && isAboutToken(this.problem.value));
  private readonly patience = new Patience();
  private continuity = new Continuity((mark) => this.mark(mark));
  private credentials: Credentials | undefined;
  private client: HeraldClient | undefined;
  /** Publishes, with the token for that: a client that has subscribed to nothing opens no stream. */
  private publisher: HeraldClient | undefined;
  private subscribed: Subscribed[] = [];
  /** Whose messages the log has. */
  private reader: string | undefined;
  private hasBegun = false;
  private isCleared = false;
  /** When this page's own publications were sent, by their ids. */
  private readonly sent = new Map<string, number>();

  /** Connects, or connects anew as somebody else. What has come to somebody else is cleared. */
  connect(identity: Identity, since = ''): void {
    this.end();
    this.welcome(readerOf(identity));
    const credentials = new Credentials(identity, (renewed) => {
      if (credentials === this.credentials) this.identity.value = renewed;
    });
    this.credentials = credentials;
    const client = this.clientFor('read', credentials);
    this.client = client;
    this.publisher = this.clientFor('publish', credentials);
    this.follow(client);
    batch(() => {
      this.identity.value = identity;
      this.reconnects.value = 0;
    });
    for (const topic of this.topics.value) this.subscribe(topic, since);
  }

  /** Ends the connection because the reader wants that. */
  disconnect(): void {
    if (this.hasBegun) this.mark({ mark: 'left' });
    this.end();
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
    gone?.end();
    this.topicStates.forget(topic);
    if (this.state.value === 'failed' && !this.needsToken.value) this.reconnect();
  }

  reconnect(): void {
    this.problem.value = undefined;
    this.client?.reconnect();
  }

  /** @throws {HeraldError} with the hub's reason. */
  async publish(topics: string | readonly string[], data: unknown, options: Sending): Promise<string> {
    const { publisher } = this;
    if (!publisher) throw new HeraldError('misused', t('state_idle'));
    const start = now();
    const { as, ...more } = options;
    const asText = { ...more, as: 'text' } as const;
    const isText = as === 'text' && typeof data === 'string';
    const id = await (isText ? publisher.publish(topics, data, asText) : publisher.publish(topics, data, more));
    // The message may have come back before the answer.
    const latency = this.log.measure(id, start);
    if (latency === undefined) this.expect(id, start);
    else this.rates.measure(latency);
    this.version.value += 1;
    this.measured.value += 1;
    return id;
  }

  /** Sends another request to the hub, with the token for that path if there is one, renewed where that is possible. */
  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const { credentials } = this;
    const role: Role = path.startsWith(`${ADMIN_PATH}/`) ? 'admin' : 'read';
    const send = async (isSpent: boolean): Promise<Response> => {
      const headers = new Headers(init.headers);
      const token = await credentials?.give(role, isSpent);
      if (token) headers.set('authorization', `Bearer ${token}`);
      return fetch(new URL(path, document.baseURI), { ...init, headers, cache: 'no-store' });
    };
    const response = await send(false);
    return response.status === 401 && credentials?.isRenewable ? send(true) : response;
  }

  clear(): void {
    this.log.clear();
    this.version.value += 1;
  }

  private clientFor(role: Role, credentials: Credentials): HeraldClient {
    return createHeraldClient({
      url: HUB_URL,
      share: 'none',
      // An application may know its users by a cookie of its own.
      cookies: isInApplication && !credentials.has(role),
      ...(role === 'read' && { fetch: (input, init) => this.stream.fetch(input, init) }),
      ...(credentials.has(role) && {
        token: ({ reason }) => credentials.give(role, reason === 'unauthorized' || reason === 'expired'),
      }),
    });
  }

  /** Listens to the client for as long as it is the session's own: what one ends oneself is no loss. */
  private follow(client: HeraldClient): void {
    const own =
      <Event>(act: (event: Event) => void) =>
      (event: Event): void => {
        if (client === this.client) act(event);
      };
    client.on(
      'state',
      own((state) => this.onState(state)),
    );
    client.on(
      'error',
      own((error) => this.onError(error)),
    );
    client.on(
      'notice',
      own(({ type }) => {
        this.continuity.blame(type);
        if (type === 'caught-up') this.continuity.caughtUp();
      }),
    );
  }

  /** Whoever has not read what the log holds does not get to see it. */
  private welcome(reader: string): void {
    this.isCleared = this.reader !== undefined && this.reader !== reader && this.log.entries.length > 0;
    this.reader = reader;
    if (this.isCleared) this.clear();
  }

  private begin(): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    this.log.begin({ isCleared: this.isCleared, who: nameOf(this.identity.value?.token) });
    this.version.value += 1;
  }

  private end(): void {
    const clients = [this.client, this.publisher];
    this.client = undefined;
    this.publisher = undefined;
    for (const client of clients) client?.dispose();
    this.credentials = undefined;
    this.subscribed = [];
    this.hasBegun = false;
    this.continuity = new Continuity((mark) => this.mark(mark));
    batch(() => {
      this.identity.value = undefined;
      this.problem.value = undefined;
      this.openedAt.value = undefined;
      this.waitsUntil.value = undefined;
      this.state.value = 'idle';
      this.topicStates.clear();
    });
  }

  private subscribe(topic: Topic, since: string): void {
    const match = topic.kind === 'exact' ? topic.text : { pattern: topic.text };
    const client = this.client;
    if (!client) return;
    const one: Subscribed = { topic, isLive: since === '', end: () => end() };
    const note = (state: SubscriptionState, error?: HeraldError): void => {
      if (client === this.client && state !== 'ended') this.onTopicState(topic, { state, error });
    };
    const options = {
      ...beginningOf(since),
      onLive: () => {
        one.isLive = true;
        note('live');
      },
      onGap: (notice: Notice) => this.onGap(notice),
      onState: (state: SubscriptionState, error?: HeraldError) => note(state, error),
    };
    note('pending');
    const end = client.subscribe(match, (message) => this.onMessage(message, one), options);
    this.subscribed.push(one);
  }

  private onMessage({ id, topic, type, text, replayed }: Message, { isLive }: Subscribed): void {
    this.begin();
    const took = id === undefined ? undefined : this.latencyOf(id);
    // A new stream, as for one more topic, replays what has come since the old one: for this reader that is live.
    const isReplayed = replayed && (this.continuity.isBroken || !isLive);
    // A replayed message was late because this page was away, which says nothing of the hub.
    const latency = isReplayed ? undefined : took;
    if (!this.log.add({ id, topic, type, text, isReplayed, latency })) return;
    this.patience.read();
    this.continuity.took(id, isReplayed);
    this.rates.add(isReplayed);
    if (latency !== undefined) this.rates.measure(latency);
    this.version.value += 1;
  }

  private onTopicState(topic: Topic, state: TopicState): void {
    const { error } = state;
    batch(() => {
      this.topicStates.set(topic, state);
      // It stands beside the topic alone.
      if (error && this.problem.peek() === error && !isAboutToken(error)) this.problem.value = undefined;
    });
  }

  private onError(error: HeraldError): void {
    this.continuity.blame(error.code);
    if (!this.topicStates.has(error) || isAboutToken(error)) this.problem.value = error;
  }

  private onState(state: ConnectionState): void {
    if (state === 'open') this.onOpen();
    else if (this.state.value === 'open') this.onLost(state);
    const isWaiting = state === 'waiting' || state === 'offline';
    batch(() => {
      this.waitsUntil.value = isWaiting ? this.patience.failed(this.stream.leastWait) : undefined;
      this.state.value = state;
    });
  }

  private onOpen(): void {
    this.begin();
    this.patience.opened();
    this.continuity.opened();
    batch(() => {
      this.openedAt.value = Date.now();
      this.problem.value = undefined;
      if (this.continuity.isBroken) this.reconnects.value += 1;
    });
  }

  private onLost(state: ConnectionState): void {
    this.openedAt.value = undefined;
    if (state === 'idle') return;
    this.continuity.lost();
    this.rates.lose();
  }

  /** Each topic's subscription is told of a gap, but the log needs only one mark. */
  private onGap({ type, updates }: Notice): void {
    const mark = type === 'reset' ? 'reset' : 'gap';
    const last = this.log.entries.at(-1);
    if (last?.kind !== 'mark' || last.mark !== mark) this.continuity.broke(mark, updates);
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
  return keyOf(one) === keyOf(other);
}
