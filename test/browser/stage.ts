import { afterAll, beforeAll } from '@jest/globals';
import type { Browser } from 'playwright-core';
import type { Herald } from '../support/herald.js';
import { Publisher } from '../support/hub.js';
import { launch } from './visit.js';

/** What the tests of a suite share: a browser, a service, and somebody who publishes there. */
export interface Stage {
  readonly browser: Browser;
  readonly herald: Herald;
  readonly publisher: Publisher;
}

/** Makes a stage before the first test of a suite and closes it after the last one. */
export function stageFor(launchBrowser: () => Promise<Browser>, startService: () => Promise<Herald>): Stage {
  let browser: Browser;
  let herald: Herald;
  let publisher: Publisher;

  beforeAll(async () => {
    [browser, herald] = await Promise.all([launchBrowser(), startService()]);
    publisher = await Publisher.of(herald);
  });

  afterAll(async () => {
    publisher[Symbol.dispose]();
    await Promise.all([browser.close(), herald[Symbol.asyncDispose]()]);
  });

  return {
    get browser() {
      return browser;
    },
    get herald() {
      return herald;
    },
    get publisher() {
      return publisher;
    },
  };
}

/** A stage with a browser as tests have it. */
export function stage(path: string, startService: () => Promise<Herald>): Stage {
  return stageFor(() => launch(path), startService);
}
