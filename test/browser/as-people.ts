import { type Browser, chromium as playwright } from 'playwright-core';
import { WITHOUT_IDLE_FEATURES } from './features.js';

/** What Playwright switches off, and tabs of people have. */
const AS_PEOPLE_HAVE_IT = [
  '--disable-back-forward-cache',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];

/** A host name that is no secure context: Web Locks are missing there. */
export const INTRANET = 'intranet.test';

/** How a leader is chosen, and where. */
export const WAYS = [
  ['Web Locks', '127.0.0.1'],
  ['the worker', INTRANET],
] as const;

/** A browser whose tabs are put aside, slowed down and frozen as those of people are. */
export function launchAsPeopleHaveIt(executablePath: string): Promise<Browser> {
  return playwright.launch({
    executablePath,
    ignoreDefaultArgs: AS_PEOPLE_HAVE_IT,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      WITHOUT_IDLE_FEATURES,
      `--host-resolver-rules=MAP ${INTRANET} 127.0.0.1`,
    ],
  });
}
