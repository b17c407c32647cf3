import { type MaybeRefOrGetter, onScopeDispose, readonly, type Ref, shallowRef, toValue, watchEffect } from 'vue';
import type { ConnectionState, HeraldClient, Match, Message, PayloadOf, SubscribeOptions, TopicOf } from '../index.js';

/** Calls `handler` with each message of `match`, which may be a ref or a getter, until the scope is disposed of. */
export function useHerald<Topics, Topic extends TopicOf<Topics>>(
  client: HeraldClient<Topics>,
  match: MaybeRefOrGetter<Match<Topic>>,
  handler: (message: Message<PayloadOf<Topics, Topic>>) => unknown,
  options?: SubscribeOptions<PayloadOf<Topics, Topic>>,
): void {
  watchEffect((onCleanup) => {
    onCleanup(client.subscribe(toValue(match), handler, options));
  });
}

/** The state of the client's connection. */
export function useHeraldState<Topics>(client: HeraldClient<Topics>): Readonly<Ref<ConnectionState>> {
  const state = shallowRef(client.state);
  onScopeDispose(client.on('state', (current) => (state.value = current)));
  return readonly(state);
}
