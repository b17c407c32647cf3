import type { BrowserContext, Frame, Page } from 'playwright-core';
import type { HeraldClient } from '../../client/lib/index.js';
import { waitUntil } from './wait-until.js';

export interface TabOptions {
  readonly subject?: string;
  /** What its token provider gives; see `gives`. */
  readonly token?: string;
  readonly share?: 'auto' | 'locks' | 'worker' | 'none';
  readonly workerUrl?: string;
  readonly resume?: 'session' | 'local';
  readonly topics?: readonly string[];
  /** Whether it reads by the browser's `EventSource`. */
  readonly transport?: boolean;
  /** Whether it tells the site of each message: for a page that Playwright has lost sight of. */
  readonly reports?: boolean;
  /** Whether to go on before its subscription holds. */
  readonly isHasty?: boolean;
}

/** What the tests put into the page. */
interface TabGlobals {
  client: HeraldClient;
  texts: string[];
  notices: string[];
  errors: string[];
  /** Why its provider was asked. */
  reasons: string[];
  /** What its provider gives: an empty one makes it fail. */
  token: string;
}

/** A tab of an application that uses the client library as Herald serves it. */
export class Tab {
  private constructor(
    readonly page: Page,
    /** Where the client is, if not in the page itself. */
    private readonly frame: Page | Frame = page,
  ) {}

  /** One whose client is in a frame of the page, which has been loaded. */
  static async within(page: Page, frame: Frame, options: TabOptions = {}): Promise<Tab> {
    const tab = new Tab(page, frame);
    await tab.start(options);
    return tab;
  }

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
    isHasty = false,
    resume,
    token,
    ...options
  }: TabOptions = {}): Promise<void> {
    await this.frame.evaluate(start, { topics, reports, transport, isHasty, resume, token, options });
  }

  /** Resolves once the message has come. */
  async has(text: string): Promise<void> {
    await waitUntil(this.frame, (wanted) => (globalThis as unknown as TabGlobals).texts.includes(wanted), text);
  }

  /** Resolves once the client is in this state. */
  async is(state: HeraldClient['state']): Promise<void> {
    await waitUntil(this.frame, (wanted) => (globalThis as unknown as TabGlobals).client.state === wanted, state);
  }

  /** From now on its provider gives this token; it fails if that is empty. */
  async gives(token: string): Promise<void> {
    await this.frame.evaluate((given) => void Object.assign(globalThis, { token: given }), token);
  }

  async reconnect(): Promise<void> {
    await this.frame.evaluate(() => (globalThis as unknown as TabGlobals).client.reconnect());
  }

  /** Resolves once its provider was asked this often. */
  async wasAsked(count: number): Promise<void> {
    await waitUntil(this.frame, (least) => (globalThis as unknown as TabGlobals).reasons.length >= least, count);
  }

  async setToken(token: string | undefined): Promise<void> {
    await this.frame.evaluate((given) => (globalThis as unknown as TabGlobals).client.setToken(given), token);
  }

  /** The types of the notices that its handler has seen. */
  notices(): Promise<string[]> {
    return this.frame.evaluate(() => (globalThis as unknown as TabGlobals).notices);
  }

  /** What has come, with `gap` where it was told of one. */
  texts(): Promise<string[]> {
    return this.frame.evaluate(() => (globalThis as unknown as TabGlobals).texts);
  }

  /** The codes of the errors that the client has told of. */
  errors(): Promise<string[]> {
    return this.frame.evaluate(() => (globalThis as unknown as TabGlobals).errors);
  }

  /** Why its provider was asked for a token. */
  reasons(): Promise<string[]> {
    return this.frame.evaluate(() => (globalThis as unknown as TabGlobals).reasons);
  }
}

interface StartOptions {
  readonly topics: readonly string[];
  readonly reports: boolean;
  readonly transport: boolean;
  readonly isHasty: boolean;
  readonly resume: 'session' | 'local' | undefined;
  readonly token: string | undefined;
  readonly options: Omit<TabOptions, 'topics' | 'reports' | 'resume' | 'transport' | 'isHasty' | 'token'>;
}

/** Runs in the page. */
async function start({ topics, reports, transport, isHasty, resume, token, options }: StartOptions): Promise<void> {
  const path = '/herald/client.js';
  const { createHeraldClient } = (await import(path)) as typeof import('../../client/lib/index.js');
  const store = '/herald/resume.js';
  const { resumeFrom } = (await import(store)) as typeof import('../../client/lib/resume.js');
  const native = '/herald/eventsource.js';
  const { eventSource } = (await import(native)) as typeof import('../../client/lib/event-source.js');
  const way = transport && { transport: eventSource(['named']) };
  const memory = resume && { resume: resumeFrom(resume) };
  const globals = globalThis as unknown as TabGlobals;
  const provide = ({ reason }: { readonly reason: string }): string => {
    globals.reasons.push(reason);
    if (globals.token === '') throw new Error('the login service is away');
    return globals.token;
  };
  const bearer = token !== undefined && { token: provide };
  Object.assign(globals, { texts: [], notices: [], errors: [], reasons: [], token });
  const client = createHeraldClient({ backoff: { min: 50, max: 500 }, ...memory, ...way, ...bearer, ...options });
  const { texts, notices, errors } = globals;
  globals.client = client;
  client.on('notice', ({ type }) => void notices.push(type));
  client.on('error', ({ code }) => void errors.push(code));
  const take = ({ text }: { readonly text: string }): void => {
    texts.push(text);
    if (reports) void fetch(`/report/${text}`);
  };
  await new Promise<void>((resolve) => {
    if (isHasty) resolve();
    client.subscribe(topics, take, { onLive: resolve, onGap: () => void texts.push('gap') });
  });
}
