import type { BrowserContext, Page } from 'playwright-core';
import { waitUntil } from './wait-until.js';

export interface TabOptions {
  readonly subject?: string;
  readonly token?: string;
  readonly share?: 'auto' | 'locks' | 'worker' | 'none';
  readonly resume?: 'session';
  readonly topics?: readonly string[];
  /** Whether it reads by the browser's `EventSource`. */
  readonly transport?: boolean;
  /** Whether it tells the site of each message: for a page that Playwright has lost sight of. */
  readonly reports?: boolean;
}

/** What the tests put into the page. */
interface TabGlobals {
  texts: string[];
  notices: string[];
}

/** A tab of an application that uses the client library as Herald serves it. */
export class Tab {
  private constructor(readonly page: Page) {}

  static async open(context: BrowserContext, url: string, options: TabOptions = {}): Promise<Tab> {
    const tab = new Tab(await context.newPage());
    await tab.page.goto(url);
    await tab.start(options);
    return tab;
  }

  /** Makes a client in the page, subscribes, and resolves once that holds. */
  async start({
    topics = ['urn:t'],
    reports = false,
    transport = false,
    resume,
    token,
    ...options
  }: TabOptions = {}): Promise<void> {
    await this.page.evaluate(start, { topics, reports, transport, resume, token, options });
  }

  /** Resolves once the message has come. */
  async has(text: string): Promise<void> {
    await waitUntil(this.page, (wanted) => (globalThis as unknown as TabGlobals).texts.includes(wanted), text);
  }

  /** The types of the notices that its handler has seen. */
  notices(): Promise<string[]> {
    return this.page.evaluate(() => (globalThis as unknown as TabGlobals).notices);
  }

  /** What has come, with `gap` where it was told of one. */
  texts(): Promise<string[]> {
    return this.page.evaluate(() => (globalThis as unknown as TabGlobals).texts);
  }
}

interface StartOptions {
  readonly topics: readonly string[];
  readonly reports: boolean;
  readonly transport: boolean;
  readonly resume: 'session' | undefined;
  readonly token: string | undefined;
  readonly options: Omit<TabOptions, 'topics' | 'reports' | 'resume' | 'transport' | 'token'>;
}

/** Runs in the page. */
async function start({ topics, reports, transport, resume, token, options }: StartOptions): Promise<void> {
  const path = '/herald/client.js';
  const { createHeraldClient } = (await import(path)) as typeof import('../../client/lib/index.js');
  const store = '/herald/resume.js';
  const { resumeFrom } = (await import(store)) as typeof import('../../client/lib/resume.js');
  const native = '/herald/eventsource.js';
  const { eventSource } = (await import(native)) as typeof import('../../client/lib/event-source.js');
  const way = transport && { transport: eventSource(['named']) };
  const memory = resume && { resume: resumeFrom(resume) };
  const bearer = token !== undefined && { token: () => token };
  const client = createHeraldClient({ backoff: { min: 50, max: 500 }, ...memory, ...way, ...bearer, ...options });
  const texts: string[] = [];
  const notices: string[] = [];
  Object.assign(globalThis, { client, texts, notices });
  client.on('notice', ({ type }) => void notices.push(type));
  const take = ({ text }: { readonly text: string }): void => {
    texts.push(text);
    if (reports) void fetch(`/report/${text}`);
  };
  await new Promise<void>((resolve) => {
    client.subscribe(topics, take, { onLive: resolve, onGap: () => void texts.push('gap') });
  });
}
