import {
  type App,
  computed,
  type ComputedRef,
  getCurrentInstance,
  hasInjectionContext,
  inject,
  type InjectionKey,
  type MaybeRefOrGetter,
  onMounted,
  onScopeDispose,
  provide,
  readonly,
  ref,
  type Ref,
  shallowRef,
  toValue,
  watchEffect,
  type WatchEffect,
} from 'vue';
import {
  type ConnectionState,
  createHeraldClient,
  type HeraldClient,
  type HeraldClientOptions,
  HeraldError,
  type HistoryOptions,
  type Match,
  type Message,
  type PayloadOf,
  type SubscribeOptions,
  type TopicOf,
} from '../index.js';
import {
  type AnyClient,
  DISABLED,
  type Follow,
  follow,
  type Followed,
  type FollowedTopics,
  followTopics,
  PENDING,
} from './follow.js';
import { NOTHING_READ, type Past, type Reading, readPast } from './past.js';

export type { AnyClient } from './follow.js';

/** Which client a composable uses, and whether it does anything now. */
export interface ComposableOptions {
  /** Default: the one that was provided. */
  readonly client?: AnyClient;
  /** Default true. */
  readonly enabled?: MaybeRefOrGetter<boolean>;
}

/** Each part as a ref. */
export type Refs<Shown> = { readonly [Name in keyof Shown]: ComputedRef<Shown[Name]> };

const KEY: InjectionKey<HeraldClient> = Symbol('herald');

/** `app.use(heraldPlugin, options)`, or with a client: gives it to all components. A client of its own ends with the app. */
export const heraldPlugin = {
  install(app: App, given: AnyClient | HeraldClientOptions = {}): void {
    const client = clientOf(given);
    app.provide(KEY, client);
    // Vue knows this since 3.5.
    if (client !== given) (app as Partial<App>).onUnmount?.call(app, () => client.dispose());
  },
};

/** Gives a client to all components below. One of its own ends with the component that provides it. */
export function provideHerald(given: AnyClient | HeraldClientOptions = {}): HeraldClient {
  const client = clientOf(given);
  provide(KEY, client);
  if (client !== given) onScopeDispose(() => client.dispose());
  return client;
}

/** The client that was provided. */
export function useHeraldClient<Topics = Record<string, unknown>>(): HeraldClient<Topics> {
  return useClient() as HeraldClient<Topics>;
}

/** The last message of a subscription. The match may be a ref or a getter: another one shows nothing at first. */
export function useSubscription<Data = unknown>(
  match: MaybeRefOrGetter<Match>,
  options: SubscribeOptions & ComposableOptions = {},
): Refs<Followed<Data>> {
  return useFollowed(follow, match, options) as Refs<Followed<Data>>;
}

/** The newest message of each topic: first those that the hub holds, then whatever comes. */
export function useLatest<Data = unknown>(
  match: MaybeRefOrGetter<Match>,
  options: SubscribeOptions & ComposableOptions = {},
): Refs<FollowedTopics<Data>> {
  return useFollowed(followTopics, match, options) as Refs<FollowedTopics<Data>>;
}

/** The history, a page of at most `limit` messages at first; `loadMore` adds the next page. */
export function useHistory<Data = unknown>(
  match: MaybeRefOrGetter<Match>,
  { enabled = true, client: given, ...options }: Omit<HistoryOptions, 'signal'> & ComposableOptions = {},
): Refs<Past<Data>> & { readonly loadMore: () => Promise<void> } {
  const client = useClient(given);
  const past = shallowRef<Past>(NOTHING_READ);
  let reading: Reading | undefined;
  whileMounted((onCleanup) => {
    past.value = NOTHING_READ;
    if (!toValue(enabled)) return;
    const now = readPast(client, toValue(match), options, (read) => (past.value = read));
    reading = now;
    onCleanup(() => now.stop());
  });
  return {
    messages: computed(() => past.value.messages as Past<Data>['messages']),
    status: computed(() => (toValue(enabled) ? past.value.status : 'disabled')),
    error: computed(() => past.value.error),
    hasMore: computed(() => past.value.hasMore),
    loadMore: async () => reading?.more(),
  };
}

/** Calls `handler` with each message of `match`, which may be a ref or a getter, until the scope is disposed of. */
export function useHerald<Topics, Topic extends TopicOf<Topics>>(
  client: HeraldClient<Topics>,
  match: MaybeRefOrGetter<Match<Topic>>,
  handler: (message: Message<PayloadOf<Topics, Topic>>) => unknown,
  options?: SubscribeOptions<PayloadOf<Topics, Topic>>,
): void {
  whileMounted((onCleanup) => {
    onCleanup(client.subscribe(toValue(match), handler, options));
  });
}

/** The state of the client's connection. Default: of the one that was provided. */
export function useHeraldState(given?: AnyClient): Readonly<Ref<ConnectionState>> {
  const client = useClient(given);
  const state = shallowRef(client.state);
  whileMounted((onCleanup) => {
    onCleanup(client.on('state', (current) => (state.value = current)));
    state.value = client.state;
  });
  return readonly(state);
}

function useFollowed<Shown extends Followed>(
  start: Follow<Shown>,
  match: MaybeRefOrGetter<Match>,
  { enabled = true, client: given, ...options }: SubscribeOptions & ComposableOptions,
): Refs<FollowedTopics> {
  const client = useClient(given);
  const shown = shallowRef<Followed>(PENDING);
  whileMounted((onCleanup) => {
    shown.value = PENDING;
    if (toValue(enabled)) onCleanup(start(client, toValue(match), options, (now) => (shown.value = now)));
  });
  const current = computed(() => (toValue(enabled) ? shown.value : DISABLED));
  return {
    data: computed(() => current.value.data),
    message: computed(() => current.value.message),
    status: computed(() => current.value.status),
    error: computed(() => current.value.error),
    byTopic: computed(() => (current.value as FollowedTopics).byTopic),
  };
}

/** Runs the effect from when the component is mounted on, so never on a server; outside of a component at once. */
function whileMounted(effect: WatchEffect): void {
  const isMounted = ref(getCurrentInstance() === null);
  if (!isMounted.value) onMounted(() => (isMounted.value = true));
  watchEffect((onCleanup) => {
    if (isMounted.value) effect(onCleanup);
  });
}

function useClient(given?: ComposableOptions['client']): HeraldClient {
  const client = (given as HeraldClient | undefined) ?? (hasInjectionContext() ? inject(KEY, undefined) : undefined);
  if (client) return client;
  throw new HeraldError('misused', 'There is no client: provide one with heraldPlugin or provideHerald, or name it.');
}

function clientOf(given: AnyClient | HeraldClientOptions): HeraldClient {
  return 'dispose' in given ? (given as HeraldClient) : createHeraldClient(given);
}
