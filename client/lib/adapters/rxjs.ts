import { Observable } from 'rxjs';
import type { HeraldClient, Match, Message, PayloadOf, SubscribeOptions, TopicOf } from '../index.js';

/**
 * The messages of `match` as an Observable: each subscriber is a subscription of its own, and all share the client's
 * connection. It never completes and never fails: the client comes back by itself, and tells of it by `on('error')`.
 */
export function fromHerald<Topics, Topic extends TopicOf<Topics>>(
  client: HeraldClient<Topics>,
  match: Match<Topic>,
  options?: SubscribeOptions<PayloadOf<Topics, Topic>>,
): Observable<Message<PayloadOf<Topics, Topic>>> {
  return new Observable((subscriber) => client.subscribe(match, (message) => subscriber.next(message), options));
}
