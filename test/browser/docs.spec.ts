import { expect, it } from '@jest/globals';
import { startHub } from '../support/hub.js';
import { chromium, describeWith } from '../support/programs.js';
import { stage } from './stage.js';
import { Visit } from './visit.js';

describeWith(chromium, 'the page of all routes', (path) => {
  const on = stage(path, () => startHub());

  it('shows them, and sends what is tried out', async () => {
    await using visit = await Visit.to(`${on.herald.url}/docs`, on.browser);
    const { page } = visit;
    await page.locator('.opblock').first().waitFor();
    expect(await page.locator('.opblock-summary-path').allInnerTexts()).toContain('/.well-known/mercure');
    expect(await page.locator('.errors-wrapper').count()).toBe(0);

    const live = page.locator('#operations-Health-healthLive');
    await live.locator('.opblock-summary-control').click();
    await live.getByRole('button', { name: 'Try it out' }).click();
    await live.getByRole('button', { name: 'Execute' }).click();
    await live.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor();
  });

  it('shows what QUERY does', async () => {
    await using visit = await Visit.to(`${on.herald.url}/docs`, on.browser);
    const query = visit.page.locator('#operations-Subscribe-subscribeQuery');
    await query.locator('.opblock-summary-control').click();
    await query.locator('.opblock-description').waitFor();
    expect(await query.locator('.opblock-description').innerText()).toContain('The safe method with a body');
  });
});
