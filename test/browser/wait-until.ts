import type { Frame, Page } from 'playwright-core';

/** Milliseconds between two looks. */
const INTERVAL = 40;

/** Milliseconds that a condition may take before the test gives up on it. */
const PATIENCE = 60_000;

/**
 * Resolves once the condition holds in the page. Playwright's own way looks once a frame, for which the page draws
 * frames: pages that wait would then keep the machine busy.
 */
export async function waitUntil<Argument = undefined>(
  page: Page | Frame,
  condition: (argument: Argument) => boolean,
  argument?: Argument,
): Promise<void> {
  // Playwright's types take no function with a parameter of a generic type.
  await page.waitForFunction(condition as (argument: unknown) => boolean, argument as unknown, {
    polling: INTERVAL,
    timeout: PATIENCE,
  });
}

/** Resolves once the page has drawn what has happened in it so far. */
export async function drawn(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}
