import {
  type HeraldClient,
  HeraldError,
  type Match,
  type Message,
  type SubscribeOptions,
  type SubscriptionState,
} from '../index.js';

/** A client, whichever topics its application has declared. */
export type AnyClient = Pick<HeraldClient, 'state' | 'on' | 'presence' | 'reconnect' | 'dispose'>;

/** What a component shows of a subscription. */
export interface Followed<Data = unknown> {
  /** The data of the last message. */
  readonly data: Data | undefined;
  /** The last message. */
  readonly message: Message<Data> | undefined;
  readonly status: SubscriptionState | 'disabled';
  /** Why it was refused, or why the last message has no data. */
  readonly error: HeraldError | undefined;
}

/** The same of a subscription that begins with the newest message of each topic. */
export interface FollowedTopics<Data = unknown> extends Followed<Data> {
  /** The newest message of each topic, the one with the newest message last; of more than 10 000, those. */
  readonly byTopic: ReadonlyMap<string, Message<Data>>;
}

/** Begins a subscription, and tells whenever there is something new to show. Returns a function that ends it. */
export type Follow<Shown> = (
  client: Pick<HeraldClient, 'subscribe'>,
  match: Match,
  options: SubscribeOptions,
  tell: (shown: Shown) => void,
) => () => void;

const NOTHING = { data: undefined, message: undefined, error: undefined, byTopic: new Map<string, never>() };

/** What is shown before anything is known, and of a subscription that is switched off. */
export const PENDING: FollowedTopics<never> = { ...NOTHING, status: 'pending' };
export const DISABLED: FollowedTopics<never> = { ...NOTHING, status: 'disabled' };

/** Topics whose newest message is kept. */
const MOST_TOPICS = 10_000;

/** Follows a subscription's last message. */
export const follow: Follow<Followed> = (client, match, options, tell) =>
  begin<Followed>(PENDING, { client, match, options, tell }, (change) => (message) => change(partsOf(message)));

/** Follows the newest message of each topic. */
export const followTopics: Follow<FollowedTopics> = (client, match, options, tell) => {
  const newest = new Map<string, Message>();
  let isDue = false;
  const latest = { ...options, begin: 'latest' as const };
  return begin<FollowedTopics>(PENDING, { client, match, options: latest, tell }, (change) => (message) => {
    newest.delete(message.topic);
    newest.set(message.topic, message);
    const [oldest = ''] = newest.keys();
    if (newest.size > MOST_TOPICS) newest.delete(oldest);
    if (isDue) return;
    isDue = true;
    // Many come in one piece, and the map is copied once for all of them.
    queueMicrotask(() => {
      isDue = false;
      const last = [...newest.values()].at(-1);
      if (last) change({ ...partsOf(last), byTopic: new Map(newest) });
    });
  });
};

function begin<Shown extends Followed>(
  first: Shown,
  { client, match, options, tell }: FollowContext<Shown>,
  onMessage: (change: (part: Partial<Shown>) => void) => (message: Message) => void,
): () => void {
  let shown = first;
  let isOver = false;
  const change = (part: Partial<Followed>): void => {
    if (isOver) return;
    shown = { ...shown, ...part };
    tell(shown);
  };
  const onState: SubscribeOptions['onState'] = (status, error) => {
    change({ status, error });
    return options.onState?.(status, error);
  };
  try {
    const stop = client.subscribe(match, onMessage(change), { ...options, onState });
    return () => {
      isOver = true;
      stop();
    };
  } catch (error) {
    change({ status: 'refused', error: toHeraldError(error) });
    return () => undefined;
  }
}

interface FollowContext<Shown> {
  readonly client: Pick<HeraldClient, 'subscribe'>;
  readonly match: Match;
  readonly options: SubscribeOptions;
  readonly tell: (shown: Shown) => void;
}

function partsOf(message: Message): Pick<Followed, 'data' | 'message' | 'error'> {
  try {
    return { message, data: message.data, error: undefined };
  } catch (error) {
    return { message, data: undefined, error: toHeraldError(error) };
  }
}

/** A text by which two subscriptions are told apart: equal ones get the same. Functions do not count. */
export function keyOf(match: Match, options: object): string {
  return JSON.stringify([match, options], (name, value: unknown) =>
    name === 'parse' || name === 'signal' ? undefined : value,
  );
}

export function toHeraldError(cause: unknown): HeraldError {
  if (cause instanceof HeraldError) return cause;
  return new HeraldError('misused', 'The subscription is not possible: see `cause`.', { cause });
}
