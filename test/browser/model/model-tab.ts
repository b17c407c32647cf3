import { setTimeout as delay } from 'node:timers/promises';
import type { BrowserContext, CDPSession, Page } from 'playwright-core';
import { ELSEWHERE } from './gateway.js';
import { type Entry, type ModelGlobals, type Reader, startPage } from './page.js';
import type { Wish } from './wishes.js';

/** Milliseconds that a page has for an answer, before it counts as dead. */
const PATIENCE = 20_000;

/** Milliseconds between two looks. */
const INTERVAL = 20;

/** A subscription of a tab. */
export interface Subscribed {
  readonly number: number;
  readonly wish: Wish;
  hasStopped: boolean;
}

/**
 * A tab with one client, which can be hidden and killed. Playwright loses sight of a page that comes out of the
 * back/forward cache, so the page is spoken to by the protocol below it.
 */
export class ModelTab {
  readonly subscriptions: Subscribed[] = [];
  /** What the page has seen, up to the last look. */
  readonly entries: Entry[] = [];
  /** Errors that nobody caught. */
  readonly uncaught: string[] = [];
  /** `gone`: it has been killed, or the browser has not kept the page that was left. */
  condition: 'shown' | 'frozen' | 'left' | 'gone' = 'shown';

  private constructor(
    readonly name: string,
    readonly first: Reader,
    private readonly page: Page,
    private readonly session: CDPSession,
  ) {
    page.on('pageerror', ({ message }) => this.uncaught.push(message));
  }

  static async open(context: BrowserContext, url: string, name: string, first: Reader): Promise<ModelTab> {
    const page = await context.newPage();
    await page.goto(url);
    const tab = new ModelTab(name, first, page, await context.newCDPSession(page));
    await tab.evaluate(startPage, first);
    return tab;
  }

  async subscribe(wish: Wish): Promise<void> {
    const number = this.subscriptions.length;
    this.subscriptions.push({ number, wish, hasStopped: false });
    await this.evaluate(([one, match]) => (globalThis as ModelGlobals).model?.subscribe(one, match), [
      number,
      wish.match,
    ] as const);
  }

  /** Stops one of those that it has not stopped yet. */
  async stop(which: number): Promise<void> {
    const open = this.subscriptions.filter(({ hasStopped }) => !hasStopped);
    const subscribed = open[which % open.length];
    if (!subscribed) return;
    subscribed.hasStopped = true;
    await this.evaluate((one) => (globalThis as ModelGlobals).model?.stop(one), subscribed.number);
  }

  async become(reader: Reader): Promise<void> {
    await this.evaluate((next) => (globalThis as ModelGlobals).model?.become(next), reader);
  }

  async freeze(): Promise<void> {
    await this.look();
    await this.session.send('Page.setWebLifecycleState', { state: 'frozen' });
    this.condition = 'frozen';
  }

  /** Goes to another page, so that the browser puts this one aside. */
  async leave(url: string): Promise<void> {
    await this.look();
    await this.session.send('Page.navigate', { url: url + ELSEWHERE });
    this.condition = 'left';
  }

  async show(): Promise<void> {
    if (this.condition === 'frozen') await this.session.send('Page.setWebLifecycleState', { state: 'active' });
    else if (this.condition === 'left') await this.goBack();
    else return;
    const isThere = await this.evaluate(() => 'model' in globalThis);
    this.condition = isThere ? 'shown' : 'gone';
  }

  async setOffline(offline: boolean): Promise<void> {
    const conditions = { offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    await this.session.send('Network.emulateNetworkConditions', conditions);
  }

  async kill(how: 'is closed' | 'crashes'): Promise<void> {
    if (this.condition === 'shown') await this.look();
    if (how === 'crashes' && this.condition === 'shown') {
      const crashed = this.page.waitForEvent('crash');
      // It is never answered.
      this.session.send('Page.crash').catch(() => undefined);
      await crashed;
    }
    this.condition = 'gone';
    await this.page.close();
  }

  /** Reads what the page has seen since the last look. */
  async look(): Promise<void> {
    const more = await this.evaluate(
      (from) => (globalThis as ModelGlobals).model?.log.slice(from),
      this.entries.length,
    );
    this.entries.push(...(more ?? []));
  }

  private async goBack(): Promise<void> {
    await this.evaluate(() => void setTimeout(() => history.back()));
    const isBack = (path: string): boolean => location.pathname !== path && document.readyState === 'complete';
    while (!(await this.evaluate(isBack, ELSEWHERE).catch(() => false))) await delay(INTERVAL);
  }

  private evaluate<Result>(act: () => Result): Promise<Awaited<Result>>;
  private evaluate<Result, Argument>(act: (argument: Argument) => Result, argument: Argument): Promise<Awaited<Result>>;
  private async evaluate(act: (argument: never) => unknown, argument?: unknown): Promise<unknown> {
    const expression = `(${act.toString()})(${JSON.stringify(argument) ?? ''})`;
    const answered = this.session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    const late = delay(PATIENCE, undefined, { ref: false }).then(() => {
      throw new Error(`${this.name} does not answer`);
    });
    const { result, exceptionDetails } = await Promise.race([answered, late]);
    if (exceptionDetails) throw new Error(`in ${this.name}: ${exceptionDetails.exception?.description ?? ''}`);
    return result.value;
  }
}
