import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { ConnectionState, HeraldClient, Match, Message, PayloadOf, SubscribeOptions, TopicOf } from '../index.js';

/**
 * Calls `handler` with each message of `match`, for as long as the component is mounted. It always calls the handler of
 * the last render; only another `match`, `since` or `last` makes another subscription.
 */
export function useHerald<Topics, Topic extends TopicOf<Topics>>(
  client: HeraldClient<Topics>,
  match: Match<Topic>,
  handler: (message: Message<PayloadOf<Topics, Topic>>) => unknown,
  options: SubscribeOptions<PayloadOf<Topics, Topic>> = {},
): void {
  const latest = useRef({ match, handler, options });
  useEffect(() => {
    latest.current = { match, handler, options };
  });
  const key = JSON.stringify([match, options.since, options.last]);
  useEffect(() => {
    const { current } = latest;
    return client.subscribe(current.match, (message) => latest.current.handler(message), {
      ...current.options,
      onLive: () => latest.current.options.onLive?.(),
      onGap: (notice) => latest.current.options.onGap?.(notice),
    });
    // `key` stands for the match, which may be another object with each render.
  }, [client, key]);
}

/** The state of the client's connection; renders anew when it changes. */
export function useHeraldState<Topics>(client: HeraldClient<Topics>): ConnectionState {
  return useSyncExternalStore(
    (onChange) => client.on('state', onChange),
    () => client.state,
    () => 'idle',
  );
}
