import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { WITHOUT_IDLE_FEATURES } from './features.js';
import { waitUntil } from './wait-until.js';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  WITHOUT_IDLE_FEATURES,
  // So that a scroll is over when the key or the wheel has been handled.
  '--disable-smooth-scrolling',
];

export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

/** Whatever moves is drawn sixty times a second, which tests of anything else would wait for. */
const USUAL = {
  locale: 'en-US',
  viewport: { width: 1000, height: 760 },
  reducedMotion: 'reduce',
} satisfies BrowserContextOptions;

/** Milliseconds that something may take to appear: less than a test may, so that the failure says what did not. */
const PATIENCE = 25_000;

export interface VisitOptions extends BrowserContextOptions {
  /** Prepares the page before it is loaded. */
  readonly prepare?: (page: Page) => Promise<unknown>;
}

/**
 * Somebody who looks at the page, in a browser context of their own. `await using` closes it, and fails the test if the
 * page broke its Content-Security-Policy, asked another host for something, or threw an error.
 */
export class Visit implements AsyncDisposable {
  readonly complaints: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly origin: string,
  ) {}

  static async to(url: string, browser: Browser, { prepare, ...options }: VisitOptions = {}): Promise<Visit> {
    const context = await browser.newContext({ ...USUAL, ...options });
    context.setDefaultTimeout(PATIENCE);
    const visit = new Visit(await context.newPage(), new URL(url).origin);
    await visit.listen();
    await prepare?.(visit.page);
    await visit.page.goto(url);
    return visit;
  }

  /** Resolves once the list has `count` rows. */
  async rows(count: number): Promise<void> {
    await waitUntil(this.page, (wanted) => document.querySelectorAll('#messages > p').length >= wanted, count);
  }

  /** Resolves once `more` messages have come since now. */
  async more(more: number): Promise<void> {
    const wanted = (await this.received()) + more;
    await waitUntil(
      this.page,
      (least) => Number(document.querySelector('#count')?.textContent?.replace(/\D/g, '')) >= least,
      wanted,
    );
  }

  /** How many messages the page says that it has received. */
  async received(): Promise<number> {
    return Number((await this.page.locator('#count').textContent())?.replace(/\D/g, ''));
  }

  /** Resolves once the connection looks like this. */
  async looks(look: 'busy' | 'open' | 'lost' | 'failed'): Promise<void> {
    await this.page.locator(`#connection[data-look="${look}"]`).waitFor();
  }

  /** The texts of the rows. */
  texts(): Promise<string[]> {
    return this.page.locator('#messages > p').allTextContents();
  }

  /** Pixels between what is shown and the end of the list. */
  toEnd(): Promise<number> {
    return this.page
      .locator('#messages')
      .evaluate(({ scrollHeight, clientHeight, scrollTop }) => scrollHeight - clientHeight - scrollTop);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
    if (this.complaints.length > 0) throw new Error(`the page misbehaved:\n${this.complaints.join('\n')}`);
  }

  private async listen(): Promise<void> {
    const { page, complaints } = this;
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('console', (message) => {
      // That the server is away is what some tests are about.
      const expected = message.text().startsWith('Failed to load resource');
      if (message.type() === 'error' && !expected) complaints.push(`console: ${message.text()}`);
    });
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== this.origin) complaints.push(`foreign request: ${request.url()}`);
    });
    await page.exposeFunction('reportViolation', (violation: string) => complaints.push(`violation: ${violation}`));
    await page.addInitScript(() => {
      addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        const report: unknown = Reflect.get(globalThis, 'reportViolation');
        if (typeof report === 'function') report(`${violatedDirective} ${blockedURI}`);
      });
    });
  }
}
