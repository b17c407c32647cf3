import { expect, it } from '@jest/globals';
import { startHerald } from '../support/herald.js';
import { chromium, describeWith } from '../support/programs.js';
import { Visit } from './visit.js';
import { stage } from './stage.js';

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
  const on = stage(path, () => startHerald({ env: { HERALD_EVENTS_INTERVAL: '50ms' } }));

  it.each(LOOKS)('at $viewport.width px, $colorScheme, $locale', async (look) => {
    await using visit = await Visit.to(on.herald.url, on.browser, look);
    await visit.rows(12);
    const { viewport, colorScheme, locale } = look;
    const picture = await visit.page.screenshot({
      path: `test-results/page-${viewport.width}-${colorScheme}-${locale}.png`,
      animations: 'disabled',
    });
    expect(picture.byteLength).toBeGreaterThan(0);
  });
});
