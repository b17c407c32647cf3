import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
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
  keyOf,
  PENDING,
} from './follow.js';
import { NOTHING_READ, type Past, type Reading, readPast } from './past.js';

export type { AnyClient, Followed, FollowedTopics } from './follow.js';
export type { Past } from './past.js';

/** Which client a hook uses, and whether it does anything now. */
export interface HookOptions {
  /** Default: that of the `HeraldProvider` above. */
  readonly client?: AnyClient;
  /** Default true. */
  readonly enabled?: boolean;
}

export interface HeraldProviderProps {
  /** The client for all components below. Default: one of its own, which is disposed of with the provider. */
  readonly client?: AnyClient;
  /** The options of its own client. They are read once. */
  readonly options?: HeraldClientOptions;
  readonly children?: ReactNode;
}

const Context = createContext<HeraldClient | undefined>(undefined);

/** Gives a client to all hooks below it. */
export function HeraldProvider({ client, options, children }: HeraldProviderProps): ReactElement {
  const [own, setOwn] = useState(() => (client ? undefined : createHeraldClient(options)));
  const ending = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    clearTimeout(ending.current);
    // It is shown again after it was hidden.
    if (own?.state === 'closed') setOwn(createHeraldClient(options));
    return () => {
      // `StrictMode` runs this as well, and the effect again right after it.
      ending.current = setTimeout(() => own?.dispose());
    };
    // The options are read once.
  }, [own]);
  return createElement(Context.Provider, { value: (client as HeraldClient | undefined) ?? own }, children);
}

/** The client of the `HeraldProvider` above. */
export function useHeraldClient<Topics = Record<string, unknown>>(): HeraldClient<Topics> {
  return useClient() as HeraldClient<Topics>;
}

/** The last message of a subscription. Another `match` or other options begin another one, which shows nothing at first. */
export function useSubscription<Data = unknown>(
  match: Match,
  options: SubscribeOptions & HookOptions = {},
): Followed<Data> {
  return useFollowed(follow, match, options) as Followed<Data>;
}

/** The newest message of each topic: first those that the hub holds, then whatever comes. */
export function useLatest<Data = unknown>(
  match: Match,
  options: SubscribeOptions & HookOptions = {},
): FollowedTopics<Data> {
  return useFollowed(followTopics, match, options) as FollowedTopics<Data>;
}

/** The history, a page of at most `limit` messages at first; `loadMore` adds the next page. */
export function useHistory<Data = unknown>(
  match: Match,
  { enabled = true, client: given, ...options }: Omit<HistoryOptions, 'signal'> & HookOptions = {},
): Past<Data> & { readonly loadMore: () => Promise<void> } {
  const client = useClient(given);
  const latest = useLast({ match, options });
  const source = useSource(client, keyOf(match, options), enabled);
  const reading = useRef<Reading>(undefined);
  const [seen, see] = useState<{ readonly source: object; readonly past: Past }>();
  useEffect(() => {
    if (!enabled) return undefined;
    const { current } = latest;
    const now = readPast(client, current.match, current.options, (past) => see({ source, past }));
    reading.current = now;
    return () => now.stop();
    // `source` stands for all that it reads.
  }, [source]);
  const loadMore = useCallback(async () => reading.current?.more(), []);
  const past = seen?.source === source ? seen.past : NOTHING_READ;
  return { ...(past as Past<Data>), ...(!enabled && { status: 'disabled' }), loadMore };
}

/**
 * Calls `handler` with each message of `match`, for as long as the component is mounted. It always calls the handler of
 * the last render; only another `match` or other options make another subscription.
 */
export function useHerald<Topics, Topic extends TopicOf<Topics>>(
  client: HeraldClient<Topics>,
  match: Match<Topic>,
  handler: (message: Message<PayloadOf<Topics, Topic>>) => unknown,
  options: SubscribeOptions<PayloadOf<Topics, Topic>> = {},
): void {
  const latest = useLast({ match, handler, options });
  useEffect(
    () =>
      client.subscribe<Topic, PayloadOf<Topics, Topic>>(
        latest.current.match,
        (message) => latest.current.handler(message),
        optionsOf(latest) as SubscribeOptions<PayloadOf<Topics, Topic>>,
      ),
    // The key stands for the match, which may be another object with each render.
    [client, keyOf(match, options)],
  );
}

/** The state of the client's connection; renders anew when it changes. Default: of the `HeraldProvider` above. */
export function useHeraldState(given?: AnyClient): ConnectionState {
  const client = useClient(given);
  return useSyncExternalStore(
    useCallback((onChange) => client.on('state', onChange), [client]),
    () => client.state,
    () => 'idle',
  );
}

function useFollowed<Shown extends Followed>(
  start: Follow<Shown>,
  match: Match,
  { enabled = true, client: given, ...options }: SubscribeOptions & HookOptions,
): Shown {
  const client = useClient(given);
  const latest = useLast({ match, options });
  const source = useSource(client, keyOf(match, options), enabled);
  const [seen, see] = useState<{ readonly source: object; readonly shown: Shown }>();
  useEffect(() => {
    if (!enabled) return undefined;
    return start(client, latest.current.match, optionsOf(latest), (shown) => see({ source, shown }));
    // `source` stands for all that it reads.
  }, [source]);
  if (seen?.source === source) return seen.shown;
  return (enabled ? PENDING : DISABLED) as Followed as Shown;
}

function useClient(given?: HookOptions['client']): HeraldClient {
  const provided = useContext(Context);
  const client = (given as HeraldClient | undefined) ?? provided;
  if (client) return client;
  throw new HeraldError('misused', 'There is no client: put a HeraldProvider above, or name one in the options.');
}

/** What the last render has given, for effects and callbacks. */
function useLast<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}

/** Another object whenever something else is to be shown, so that nothing of before is taken for it. */
function useSource(client: HeraldClient, key: string, enabled: boolean): object {
  return useMemo(() => ({ client, key, enabled }), [client, key, enabled]);
}

/** The options with the functions of the last render, whenever they are called. */
function optionsOf(latest: { readonly current: { readonly options: SubscribeOptions } }): SubscribeOptions {
  return {
    ...latest.current.options,
    onLive: () => latest.current.options.onLive?.(),
    onGap: (notice) => latest.current.options.onGap?.(notice),
    onState: (state, error) => latest.current.options.onState?.(state, error),
  };
}
