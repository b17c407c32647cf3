import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { type Herald, startHerald } from '../support/herald.js';
import { chromium, describeWith } from '../support/programs.js';
import { launch, Visit } from './visit.js';

const SIZES = [
  { width: 360, height: 640 },
  { width: 768, height: 1024 },
  { width: 1440, height: 900 },
];
const LOOKS = SIZES.flatMap((viewport) =>
  (['light', 'dark'] as const).flatMap((colorScheme) =>
    (['en-US', 'zh-CN'] as const).map((locale) => ({ viewport, colorScheme, locale })),
  ),
);

// To be looked at by people: `test-results/page-*.png`.
describeWith(chromium, 'pictures of the page', (path) => {
  let herald: Herald;
  let browser: Browser;

  beforeAll(async () => {
    herald = await startHerald({ env: { HERALD_EVENTS_INTERVAL: '100ms' } });
    browser = await launch(path);
  });

  afterAll(async () => {
    await browser.close();
    await herald[Symbol.asyncDispose]();
  });

  it.each(LOOKS)('at $viewport.width px, $colorScheme, $locale', async (look) => {
    await using visit = await Visit.to(herald.url, browser, look);
    await visit.rows(12);
    const { viewport, colorScheme, locale } = look;
    const picture = await visit.page.screenshot({
      path: `test-results/page-${viewport.width}-${colorScheme}-${locale}.png`,
      animations: 'disabled',
    });
    expect(picture.byteLength).toBeGreaterThan(0);
  });
});
