import type { Locator, Page } from 'playwright-core';
import { waitUntil } from './wait-until.js';

/** What every topic of these tests begins with. */
export const TOPIC = 'https://example.com/';

/** Connects with these tokens, and resolves once the connection looks like this. */
export async function connect(page: Page, reading: string, publishing: string, look = 'open'): Promise<void> {
  await page.locator('#console-token').click();
  const [first, second] = await page.locator('dialog[open] input[type=password]').all();
  await first?.fill(reading);
  await second?.fill(publishing);
  await page.locator('dialog[open] button[type=submit]').click();
  if (await page.locator('.chips li').count()) await looks(page, look);
}

export async function looks(page: Page, look: string): Promise<void> {
  await page.locator(`#console-state[data-look="${look}"]`).waitFor();
}

export async function add(page: Page, text: string, kind: 'exact' | 'pattern'): Promise<void> {
  await page.locator('#topic-text').fill(text);
  await page.locator('#topic-kind').selectOption(kind);
  await page.locator('.topics form button').click();
  await page.locator('.chips li', { hasText: text }).waitFor();
}

export function row(page: Page, text: string): Locator {
  return page.locator('.row', { hasText: text });
}

/** Resolves once so many rows have this text. */
export async function rows(page: Page, text: string, count: number): Promise<void> {
  const have = ({ text: wanted, count: howMany }: { text: string; count: number }): boolean =>
    [...document.querySelectorAll('.row')].filter((one) => one.textContent?.includes(wanted)).length === howMany;
  await waitUntil(page, have, { text, count });
}
