import { afterEach, beforeEach } from '@jest/globals';
import type { Browser, BrowserContext } from 'playwright-core';
import { startHub } from '../support/hub.js';
import { LibrarySite } from './library-site.js';
import { type Stage, stageFor } from './stage.js';

/** A stage on which each test has a browser context, and a site with the client library, of its own. */
export interface TabStage extends Stage {
  readonly context: BrowserContext;
  readonly site: LibrarySite;
}

export function tabStage(launchBrowser: () => Promise<Browser>): TabStage {
  const shared = stageFor(launchBrowser, () => startHub());
  let context: BrowserContext;
  let site: LibrarySite;

  beforeEach(async () => {
    site = await LibrarySite.before(shared.herald);
    context = await shared.browser.newContext();
  });

  afterEach(async () => {
    await context.close();
    await site[Symbol.asyncDispose]();
  });

  return {
    get browser() {
      return shared.browser;
    },
    get herald() {
      return shared.herald;
    },
    get publisher() {
      return shared.publisher;
    },
    get context() {
      return context;
    },
    get site() {
      return site;
    },
  };
}
