import type { PageClient } from './page-reader.js';

/** The clients that run in a browser. */
export const PAGE_CLIENTS: readonly PageClient[] = [
  {
    name: 'native EventSource',
    cursor: 'header',
    onRefusal: 'stops',
    onBadGateway: 'stops',
    bearer: false,
    start: ({ url }) => inbox.listenTo(new EventSource(url)),
  },
  {
    name: '@microsoft/fetch-event-source',
    cursor: 'header',
    onRefusal: 'tries again',
    onBadGateway: 'tries again',
    bearer: true,
    // It takes the empty lines that data begins with for no data yet.
    presents: (data) => data.replace(/^\n+/, ''),
    start: async ({ url, headers }) => {
      const { fetchEventSource } = await import('@microsoft/fetch-event-source');
      let lastId = '';
      void fetchEventSource(url, {
        headers,
        onmessage: ({ id, event, data }) => {
          lastId = id || lastId;
          inbox.receive({ id: lastId, type: event || 'message', data });
        },
        // Otherwise it takes the end of a stream for the end of everything.
        onclose: () => {
          throw new Error('the stream has ended');
        },
        // What it returns is taken for the delay in milliseconds: if it were a promise, there would be none.
        onerror: () => inbox.fail(),
      });
    },
  },
  {
    name: 'event-source-polyfill',
    cursor: { parameter: 'lastEventId' },
    onRefusal: 'stops',
    // A page of another origin does not get to see the status, since a gateway's own answers lack the CORS headers.
    onBadGateway: 'tries again',
    bearer: true,
    start: async ({ url, headers }) => {
      await import('event-source-polyfill');
      inbox.listenTo(new EventSourcePolyfill(url, { headers }));
    },
  },
  {
    name: 'reconnecting-eventsource',
    cursor: 'header',
    // After an answer that was no stream it makes a new `EventSource`, which can send no header.
    cursorAfterBadGateway: { parameter: 'lastEventId' },
    onRefusal: 'tries again',
    onBadGateway: 'tries again',
    bearer: false,
    start: async ({ url }) => {
      // It waits for up to three seconds, at random: here for half of that, so that the test of its pace has no luck in it.
      Math.random = () => 0.5;
      const module: unknown = await import('reconnecting-eventsource');
      // Its types are those of the CommonJS file, and a page gets the other one.
      const { default: ReconnectingEventSource } = module as { default: typeof EventSource };
      inbox.listenTo(new ReconnectingEventSource(url));
    },
  },
  {
    name: 'sse.js',
    cursor: 'header',
    onRefusal: 'tries again',
    onBadGateway: 'tries again',
    bearer: true,
    start: async ({ url, headers }) => {
      const { SSE } = await import('sse.js');
      inbox.listenTo(new SSE(url, { headers, autoReconnect: true }));
    },
  },
];
