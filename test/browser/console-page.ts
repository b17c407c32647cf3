import type { Locator, Page } from 'playwright-core';
import { waitUntil } from './wait-until.js';

/** What every topic of these tests begins with. */
export const TOPIC = 'https://example.com/';

/** Connects with these tokens, and resolves once the connection looks like this. */
export async function connect(page: Page, reading: string, publishing: string, look = 'open'): Promise<void> {
  await connectWith(page, { reading, publishing }, look);
}

export interface Tokens {
  readonly reading: string;
  readonly publishing?: string;
  readonly administering?: string;
}

/** The same, with a token for administration as well. */
export async function connectWith(page: Page, tokens: Tokens, look = 'open'): Promise<void> {
  await page.locator('#console-token').click();
  const fields = await page.locator('dialog[open] input[type=password]').all();
  const texts = [tokens.reading, tokens.publishing ?? '', tokens.administering ?? ''];
  for (const [index, text] of texts.entries()) await fields[index]?.fill(text);
  await page.locator('dialog[open] button[type=submit]').click();
  if (await page.locator('.chips li').count()) await looks(page, look);
}

export async function looks(page: Page, look: string): Promise<void> {
  await page.locator(`#console-state[data-look="${look}"]`).waitFor();
}

/** Adds a topic, and resolves once the hub has answered, if the page is connected. */
export async function add(page: Page, text: string, kind: 'exact' | 'pattern'): Promise<void> {
  await page.locator('#topic-text').fill(text);
  await page.locator('#topic-kind').selectOption(kind);
  await page.locator('.topics form button').click();
  await page.locator('.chips li:not([data-state="pending"])', { hasText: text }).waitFor();
}

/** The messages that are shown, without the marks between them. */
export const MESSAGE = '.row:not([data-mark])';

export function row(page: Page, text: string): Locator {
  return page.locator('.row', { hasText: text });
}

/** Resolves once so many rows have this text. */
export async function rows(page: Page, text: string, count: number): Promise<void> {
  const have = ({ text: wanted, count: howMany }: { text: string; count: number }): boolean =>
    [...document.querySelectorAll('.row')].filter((one) => one.textContent?.includes(wanted)).length === howMany;
  await waitUntil(page, have, { text, count });
}
