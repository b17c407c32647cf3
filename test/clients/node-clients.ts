import { createEventSource } from 'eventsource-client';
import EventSource2 from 'eventsource2';
import { EventSource as EventSource4 } from 'eventsource4';
import { Agent, EventSource as UndiciEventSource } from 'undici';
import { authorization, type SseClient } from './client.js';
import { readerOf } from './event-source-reader.js';
import { Inbox } from './support/inbox.js';

/** The clients that run in Node. */
export const NODE_CLIENTS: readonly SseClient[] = [
  {
    name: 'eventsource 2',
    cursor: 'header',
    onRefusal: 'stops',
    onBadGateway: 'tries again',
    bearer: true,
    open: ({ url, token }) => readerOf(new EventSource2(url, { headers: authorization(token) })),
  },
  {
    name: 'eventsource 4',
    cursor: 'header',
    onRefusal: 'stops',
    onBadGateway: 'stops',
    bearer: true,
    open: ({ url, token }) =>
      readerOf(
        new EventSource4(url, {
          // Its own headers last: the cursor is among them.
          fetch: (input, init) => fetch(input, { ...init, headers: { ...authorization(token), ...init.headers } }),
        }),
      ),
  },
  {
    name: "undici's EventSource",
    cursor: 'header',
    onRefusal: 'stops',
    onBadGateway: 'stops',
    bearer: true,
    open: ({ url, token }) => readerOf(new UndiciEventSource(url, { node: { dispatcher: dispatcherWith(token) } })),
  },
  {
    name: 'eventsource-client',
    cursor: 'header',
    onRefusal: 'tries again',
    onBadGateway: 'tries again',
    bearer: true,
    open: ({ url, token }) => {
      const inbox = new Inbox();
      const source = createEventSource({
        url,
        headers: authorization(token),
        onMessage: ({ id, event, data }) => inbox.receive({ id: id ?? inbox.lastId, type: event ?? 'message', data }),
        onDisconnect: inbox.fail,
      });
      return {
        until: (data) => inbox.until(data),
        failed: () => inbox.failed(),
        [Symbol.asyncDispose]: async () => source.close(),
      };
    },
  },
];

/** Undici's `EventSource` takes no headers, but what sends its requests may add some. Its own are an object there. */
function dispatcherWith(token: string | undefined): ReturnType<Agent['compose']> {
  return new Agent().compose(
    (dispatch) => (options, handler) =>
      dispatch({ ...options, headers: { ...(options.headers as object), ...authorization(token) } }, handler),
  );
}
