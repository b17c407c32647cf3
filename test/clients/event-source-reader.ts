import { EVENT_TYPES, type EventSourceLike, type Reader } from './client.js';
import { Inbox } from './support/inbox.js';

/** Listens as an `EventSource`'s user does: to each type of event by its name. */
export function readerOf(source: EventSourceLike & { close(): void }): Reader {
  const inbox = new Inbox();
  for (const type of EVENT_TYPES) {
    source.addEventListener(type, ({ data, lastEventId: id }) => inbox.receive({ id, type, data }));
  }
  source.addEventListener('error', inbox.fail);
  return {
    until: (data) => inbox.until(data),
    failed: () => inbox.failed(),
    [Symbol.asyncDispose]: async () => source.close(),
  };
}
