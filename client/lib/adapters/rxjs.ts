import { Observable } from 'rxjs';
import type { HeraldClient, Match, Message, PayloadOf, SubscribeOptions, TopicOf } from '../index.js';

/**
 * The messages of `match` as an Observable: each subscriber is a subscription of its own, and all share the client's
 * connection. It completes when the client is disposed of, and fails with the hub's reason when it refuses the
 * subscription; the client comes back from everything else by itself, and tells of it by `on('error')`.
 */
export function fromHerald<Topics, Topic extends TopicOf<Topics>>(
  client: HeraldClient<Topics>,
  match: Match<Topic>,
  options?: SubscribeOptions<PayloadOf<Topics, Topic>>,
): Observable<Message<PayloadOf<Topics, Topic>>> {
  return new Observable((subscriber) =>
    client.subscribe(match, (message) => subscriber.next(message), {
      ...options,
      onState: (state, error) => {
        if (state === 'refused') subscriber.error(error);
        if (state === 'ended') subscriber.complete();
        return options?.onState?.(state, error);
      },
    }),
  );
}
