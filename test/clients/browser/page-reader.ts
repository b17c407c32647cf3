import type { Browser, Page } from 'playwright-core';
import {
  authorization,
  EVENT_TYPES,
  type EventSourceLike,
  type OpenOptions,
  type Reader,
  type Received,
  type SseClient,
} from '../client.js';
import { Inbox } from '../support/inbox.js';

/** What a client's code in the page is given. */
interface PageOptions {
  readonly url: string;
  readonly headers: Record<string, string>;
}

/** How the code in the page tells the test what the client tells it. */
interface PageInbox {
  readonly receive: (event: Received) => void;
  readonly fail: () => void;
  /** Listens as an `EventSource`'s user does: to each type of event by its name. */
  readonly listenTo: (source: EventSourceLike) => void;
}

/** What Playwright puts into the page for the test. */
interface Outside {
  readonly receiveOutside: (event: Received) => Promise<void>;
  readonly failOutside: () => Promise<void>;
}

declare global {
  var inbox: PageInbox;
}

/** A client that runs in a browser. */
export interface PageClient extends Omit<SseClient, 'open'> {
  /** Runs in the page: it can use nothing but its parameter, the page's globals and what it imports there itself. */
  readonly start: (options: PageOptions) => void | Promise<void>;
}

/** The client in a page of its own, which lies at `pageUrl`. */
export function inBrowser({ start, ...client }: PageClient, browser: () => Browser, pageUrl: () => string): SseClient {
  return {
    ...client,
    open: async ({ url, token }: OpenOptions): Promise<Reader> => {
      const inbox = new Inbox();
      const page = await browser().newPage();
      await tellInbox(page, inbox);
      await page.goto(pageUrl());
      await page.evaluate(start, { url, headers: authorization(token) });
      return {
        until: (data) => inbox.until(data),
        failed: () => inbox.failed(),
        [Symbol.asyncDispose]: () => page.close(),
      };
    },
  };
}

/** Gives every page a global `inbox` that leads to the test's own. */
async function tellInbox(page: Page, inbox: Inbox): Promise<void> {
  await page.exposeFunction('receiveOutside', inbox.receive);
  await page.exposeFunction('failOutside', inbox.fail);
  await page.addInitScript((types) => {
    const { receiveOutside, failOutside } = globalThis as unknown as Outside;
    globalThis.inbox = {
      receive: (event) => void receiveOutside(event),
      fail: () => void failOutside(),
      listenTo: (source) => {
        for (const type of types) {
          source.addEventListener(type, ({ data, lastEventId: id }) => inbox.receive({ id, type, data }));
        }
        source.addEventListener('error', () => inbox.fail());
      },
    };
  }, EVENT_TYPES);
}
